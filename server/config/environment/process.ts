import * as z from "zod";
import * as type from "../types.ts";
import { variable } from "../variable.ts";

const SYSTEMD = "systemd";
const UNIT = "the unit";

/** What the unit, systemd and the shell set. Operators do not. */
export const processVariables = {
  adminSocket: variable("ADMIN_SOCKET", type.socketPath, {
    description: "The private socket of this instance.",
    example: "/run/mcp-edge/blue.sock",
    setBy: UNIT,
  }),
  status: z.object({
    dir: variable("STATUS_DIR", type.absolutePath, {
      description:
        "Folder in which the instances of a machine share the figures of the last hour, for `/status`. Without it each keeps its own, in memory.",
      example: "/run/mcp-edge",
      setBy: UNIT,
    }),
    machineFile: variable("MACHINE_REPORT", type.absolutePath, {
      description: "The file in which the machine reports its certificate and bans, for `/status`.",
      example: "/run/mcp-edge-report/machine.json",
      setBy: UNIT,
    }),
  }),
  release: variable("RELEASE", type.text("a release"), {
    description: "The release's sha256.",
    default: "dev",
    setBy: UNIT,
  }),
  slot: variable("COLOUR", type.text("a slot"), {
    description: "The deployment slot: `blue` or `green`.",
    default: "",
    setBy: UNIT,
  }),
  systemd: z.object({
    listenFds: variable("LISTEN_FDS", type.wholeNumber(0, 1_000), {
      description: "Number of sockets that are passed (sd_listen_fds(3)).",
      example: "1",
      setBy: SYSTEMD,
    }),
    listenPid: variable("LISTEN_PID", type.text("a process id"), {
      description: "The process that the sockets are for.",
      setBy: SYSTEMD,
    }),
    notifySocket: variable("NOTIFY_SOCKET", type.text("a socket"), {
      description: "Where readiness is reported (sd_notify(3)).",
      setBy: SYSTEMD,
    }),
    watchdogUsec: variable("WATCHDOG_USEC", type.text("a number"), {
      description: "Interval of the watchdog (sd_watchdog_enabled(3)).",
      unit: "microseconds",
      setBy: SYSTEMD,
    }),
    watchdogPid: variable("WATCHDOG_PID", type.text("a process id"), {
      description: "The process that the watchdog watches.",
      setBy: SYSTEMD,
    }),
  }),
  home: variable("HOME", type.text("a path"), {
    description: "In development, `~/.cache/mcp-edge` holds the index and the copies of remotes.",
    setBy: "the shell",
  }),
  path: variable("PATH", type.text("paths"), {
    description: "Where programs are looked for.",
    default: "/usr/bin:/bin",
    setBy: "the shell",
  }),
} as const;
