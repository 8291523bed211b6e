import { existsSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { poll, type RunOptions, run, succeeds } from "../exec.ts";
import { stackFolder } from "../paths.ts";
import { cgroupFolders, inCgroups, removeCgroups } from "./cgroup.ts";
import { type Daemon, runningPid, startDaemon, stopDaemon } from "./daemon.ts";
import { bootedWithSystemd } from "./host.ts";
import type { Network } from "./network.ts";

/** The running side of a local machine: an overlay on the root filesystem, booted by systemd-nspawn. */
export interface Guest {
  /** The folder of the machine among those of the stacks: the stack's name, or that of its forwarder (`forwarderOf`). */
  stack: string;
  /** nspawn's machine name, and so the name of the link `vb-…` on the bridge. */
  name: string;
  bridge: string;
}

const FORWARDER = "/forwarder";

/** With `edge: passthrough`: what stands for the stack's name where the functions of a machine mean its forwarder. */
export const forwarderOf = (stack: string) => `${stack}${FORWARDER}`;
export const isForwarder = (stack: string) => stack.endsWith(FORWARDER);

export const guestOf = (stack: string, network: Network): Guest => ({
  stack,
  name: `${network.bridge}${isForwarder(stack) ? "f" : ""}`,
  bridge: network.bridge,
});

export const machineFolder = (stack: string) => join(stackFolder(stack), "machine");
export const rootOf = (stack: string) => join(machineFolder(stack), "root");
/** The data that outlives the machine: certificates, keys, tokens, workspace. It is mounted at /srv/mcp-edge in the guest. */
export const dataFolder = (stack: string) => join(stackFolder(stack), "data");
export const consoleLog = (stack: string) => join(stackFolder(stack), "console.log");

const daemonOf = (stack: string): Daemon => ({
  pidFile: join(stackFolder(stack), "machine.pid"),
  logFile: consoleLog(stack),
});
const unitOf = (guest: Guest) => `mcp-edge-${guest.name}.service`;

/**
 * nspawn's arguments, each of which was found necessary. `--system-call-filter=bpf`: without it NGINX's quic_bpf cannot start, and
 * IPAddressDeny and SocketBindDeny are silently not enforced. CAP_BPF and CAP_PERFMON: nspawn drops them, and NGINX's sandbox lacks
 * CAP_SYS_ADMIN, which would replace them. No private users: BPF maps are refused in a user namespace.
 * `--register=no --keep-unit`: the host may have no systemd-machined.
 */
export function nspawnArguments(guest: Guest, root: string, data: string): string[] {
  return [
    "--quiet",
    `--machine=${guest.name}`,
    `--directory=${root}`,
    `--bind=${data}:/srv/mcp-edge`,
    `--network-bridge=${guest.bridge}`,
    "--private-users=no",
    "--system-call-filter=bpf",
    "--capability=CAP_BPF,CAP_PERFMON",
    "--register=no",
    "--keep-unit",
    "--resolv-conf=off",
    "--timezone=off",
    "--link-journal=no",
    "--console=pipe",
    "--notify-ready=no",
    "--boot",
  ];
}

async function mounted(path: string): Promise<boolean> {
  const table = await readFile("/proc/self/mounts", "utf8");
  return table.split("\n").some((line) => line.split(" ")[1] === path);
}

/** Mounts the machine's overlay. @returns true if the machine is new (it had no upper directory) */
export async function mountRoot(stack: string, lower: string): Promise<boolean> {
  const folder = machineFolder(stack);
  const root = rootOf(stack);
  const fresh = !existsSync(join(folder, "upper"));
  for (const part of ["upper", "work", "root"]) await mkdir(join(folder, part), { recursive: true });
  await mkdir(dataFolder(stack), { recursive: true });
  if (!(await mounted(root))) {
    const layers = `lowerdir=${lower},upperdir=${join(folder, "upper")},workdir=${join(folder, "work")}`;
    await run("mount", ["-t", "overlay", "overlay", "-o", layers, root]);
  }
  return fresh;
}

export async function unmountRoot(stack: string): Promise<void> {
  if (await mounted(rootOf(stack))) await run("umount", [rootOf(stack)]);
}

/** Of nspawn if systemd runs it, or else of the shell that runs it. */
async function supervisorPid(guest: Guest): Promise<number | undefined> {
  if (!bootedWithSystemd()) return runningPid(daemonOf(guest.stack));
  const { stdout } = await run("systemctl", ["show", "-p", "MainPID", "--value", unitOf(guest)]);
  return Number(stdout.trim()) || undefined;
}

async function firstChild(pid: number | undefined): Promise<number | undefined> {
  if (pid === undefined) return undefined;
  const children = await readFile(`/proc/${pid}/task/${pid}/children`, "utf8").catch(() => "");
  return Number(children.trim().split(" ")[0]) || undefined;
}

/** The guest's PID 1 as the host sees it: the child of nspawn. Undefined also while the guest reboots. */
export async function leader(guest: Guest): Promise<number | undefined> {
  const pid = await supervisorPid(guest);
  return firstChild(bootedWithSystemd() ? pid : await firstChild(pid));
}

export const isRunning = async (guest: Guest) => (await supervisorPid(guest)) !== undefined;

/** With `--keep-unit` nspawn ends with this code when the guest reboots: a service manager is to start it again. */
const REBOOT = 133;

/** Runs its arguments, and again after each reboot of the guest. SIGTERM ends them for good. */
const SUPERVISOR = `trap 'stopped=yes; kill "$nspawn"' TERM
while :; do
  "$@" & nspawn=$!
  while kill -0 "$nspawn" 2>/dev/null; do wait "$nspawn"; code=$?; done
  [ "$code" = ${REBOOT} ] && [ -z "$stopped" ] || exit "$code"
done`;

/** Starts nspawn, as a transient unit if systemd is the host's init, or else detached with a PID file. A guest that reboots starts again. */
export async function startGuest(
  guest: Guest,
  args = nspawnArguments(guest, rootOf(guest.stack), dataFolder(guest.stack)),
): Promise<void> {
  if (bootedWithSystemd()) {
    const properties = ["Type=exec", "Delegate=yes", "KillMode=mixed", "TimeoutStopSec=60"];
    await run("systemd-run", [
      `--unit=${unitOf(guest)}`,
      "--collect",
      ...properties.map((property) => `--property=${property}`),
      `--property=SuccessExitStatus=${REBOOT}`,
      `--property=RestartForceExitStatus=${REBOOT}`,
      `--property=StandardOutput=append:${consoleLog(guest.stack)}`,
      `--property=StandardError=append:${consoleLog(guest.stack)}`,
      "systemd-nspawn",
      ...args,
    ]);
    return;
  }
  // On a host with cgroup v1 the guest's systemd must be told to use v2 (it has no v1 support).
  const unified = existsSync("/sys/fs/cgroup/cgroup.controllers");
  const env: Record<string, string> = unified ? {} : { SYSTEMD_NSPAWN_UNIFIED_HIERARCHY: "1" };
  const [command, all] = inCgroups(await cgroupFolders(guest.name), "systemd-nspawn", args);
  await startDaemon(daemonOf(guest.stack), "sh", ["-c", SUPERVISOR, "sh", command, ...all], env);
}

/** Powers the guest off: nspawn passes SIGTERM on as a shutdown request. After 30 s it is killed. */
export async function stopGuest(guest: Guest): Promise<void> {
  if (bootedWithSystemd()) {
    await succeeds("systemctl", ["stop", unitOf(guest)]);
    return;
  }
  const init = await leader(guest);
  const clean = await stopDaemon(daemonOf(guest.stack), 30_000);
  // If nspawn was killed, its payload still runs.
  if (!clean && init !== undefined && existsSync(`/proc/${init}`)) process.kill(init, "SIGKILL");
  await removeCgroups(guest.name);
}

/** Runs a program inside the guest, as root, with a clean environment. */
export async function inGuest(guest: Guest, command: string[], options: RunOptions = {}) {
  const pid = await leader(guest);
  if (pid === undefined) throw new Error(`Machine ${guest.stack} does not run. Start it: npm run up`);
  const shownAs = `${command.join(" ")} (on machine ${guest.stack})`;
  return run("nsenter", nsenterArguments(pid, command), { shownAs, ...options });
}

/** The nsenter arguments for a command or an interactive shell in the guest. */
export const nsenterArguments = (pid: number, command: string[]) => [
  ...["-t", String(pid), "-m", "-u", "-i", "-n", "-p", "-C", "-r", "-w", "--"],
  ...["env", "-i", "HOME=/root", "LANG=C.UTF-8", "PATH=/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin"],
  ...command,
];

/** Waits until systemd in the guest accepts commands. */
export async function waitForInit(guest: Guest, limit = 30_000): Promise<boolean> {
  const up = await poll(limit, async () => {
    const pid = await leader(guest);
    if (pid === undefined) return undefined;
    return existsSync(`/proc/${pid}/root/run/systemd/private`) ? true : undefined;
  });
  return up === true;
}

/** Empties the identity that the guest must not inherit from the root filesystem or an earlier machine. */
export async function freshIdentity(stack: string): Promise<void> {
  await writeFile(join(rootOf(stack), "etc/machine-id"), "");
}
