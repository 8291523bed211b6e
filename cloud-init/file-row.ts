import type { MachineSettings } from "./settings.ts";
import type { Role } from "./topology.ts";

/** What a change of a file does on a running machine. `deploy/lib/apply.sh` implements each, and runs them in this order. */
export const CHANGES = [
  "install-packages",
  "update-ca-certificates",
  "create-accounts",
  "create-folders",
  "daemon-reload",
  "restart-journald",
  "load-sysctl",
  "reload-sshd",
  "load-firewall",
  /** A new or changed unit is enabled, a timer runs at once; a removed unit is stopped. */
  "apply-unit",
  /** The one change that closes the listening socket, for a moment. */
  "restart-socket",
  /** The release starts in the other slot, so that no request is lost. */
  "take-over",
  /** The next generation starts, so that no stream ends. */
  "reload-nginx",
  /** Caddy takes its files over; a stream goes on. */
  "reload-caddy",
  /** Only tables of machines' earlier versions have it. */
  "restart-nginx",
  "restart-fail2ban",
  "request-certificate",
  "update-workspace",
] as const;
export type Change = (typeof CHANGES)[number];

/** The program that checks a file before anything is applied. `deploy/lib/validate.sh` implements each. */
export const VALIDATORS = [
  "nginx",
  "caddy",
  "nft",
  "fail2ban",
  "sshd",
  "systemd",
  "bash",
  "python",
  "none",
] as const;
export type Validator = (typeof VALIDATORS)[number];

/** One file of the machine, owned by root. */
export interface FileRow {
  /** Absolute path on the machine. */
  path: string;
  /** File under `cloud-init/`, rendered with the settings when its name ends in `.liquid`; or a function of the settings. */
  source: string | ((settings: MachineSettings) => string);
  /** Default: `0644`. */
  mode?: "0644" | "0755";
  /** Machines without this role, or without one of these, do not get the file. */
  role: Role | readonly Role[] | "all";
  /** Default: nothing. The next program that reads the file finds its new content. */
  change?: readonly Change[];
  /** Default: `none`. */
  validator?: Validator;
  /** The unit that is enabled on a machine with this file. */
  enables?: string;
  /** Only machines with such settings get the file. Default: all. */
  when?: (settings: MachineSettings) => boolean;
}

export type More = Partial<FileRow>;

/** The roles that terminate TLS. Such a machine has the requests' logs, and so the bans. */
export const TERMINATORS: readonly Role[] = ["nginx", "caddy"];

export const nginx = (name: string, suffix = "", more: More = {}): FileRow => ({
  path: `/etc/nginx/${name}`,
  source: `files/nginx/${name}${suffix}`,
  role: "nginx",
  change: ["reload-nginx"],
  validator: "nginx",
  ...more,
});

export const fail2ban = (path: string, source: string, more: More = {}): FileRow => ({
  path: `/etc/fail2ban/${path}`,
  source: `files/fail2ban/${source}`,
  role: TERMINATORS,
  change: ["restart-fail2ban"],
  validator: "fail2ban",
  ...more,
});

/** A unit of ours; one with an [Install] section is enabled. */
export const unit = (name: string, role: FileRow["role"], more: More = {}): FileRow => ({
  path: `/etc/systemd/system/${name}`,
  source: `files/systemd/${name}`,
  role,
  change: ["daemon-reload", "apply-unit"],
  validator: "systemd",
  ...more,
});

export const enabled = (name: string, role: FileRow["role"], more: More = {}) =>
  unit(name, role, { enables: name, ...more });

/** A drop-in: `NAME.d/FILE`. */
export const dropIn = (
  path: string,
  source: string,
  role: FileRow["role"],
  change: readonly Change[] = [],
  when?: FileRow["when"],
): FileRow => ({
  path: `/etc/systemd/system/${path}`,
  source: `files/systemd/${source}`,
  role,
  change: ["daemon-reload", ...change],
  validator: "systemd",
  ...(when ? { when } : {}),
});

export const script = (name: string, role: FileRow["role"], more: More = {}): FileRow => ({
  path: `/usr/local/sbin/${name}`,
  source: `deploy/${name}`,
  mode: "0755",
  role,
  validator: "bash",
  ...more,
});

export const library = (name: string, more: More = {}): FileRow => ({
  path: `/usr/local/lib/mcp-edge/${name}`,
  source: `deploy/lib/${name}`,
  role: "all",
  validator: "bash",
  ...more,
});

/** A file of another program, under its own path. */
export const file = (
  path: string,
  source: FileRow["source"],
  role: FileRow["role"],
  more: More = {},
): FileRow => ({
  path,
  source,
  role,
  ...more,
});

/** needrestart runs the script named after a unit, instead of a restart of the unit. */
export const onNeedrestart = (unitName: string, source: string, role: FileRow["role"]): FileRow => ({
  path: `/etc/needrestart/restart.d/${unitName}`,
  source: `deploy/${source}`,
  mode: "0755",
  role,
  validator: "bash",
});
