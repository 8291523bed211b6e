import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { installPackages } from "./apt.ts";

/** Programs that the local machine needs, each with its Debian/Ubuntu package. */
const TOOLS: Record<string, string> = {
  "systemd-nspawn": "systemd-container",
  mmdebstrap: "mmdebstrap",
  eatmydata: "eatmydata",
  ip: "iproute2",
  nft: "nftables",
  openssl: "openssl",
  git: "git",
  nsenter: "util-linux",
  setsid: "util-linux",
  mount: "mount",
};

/** This host cannot run the local machine; the message says in one sentence what to do. */
export class UnsupportedHostError extends Error {
  override name = "UnsupportedHostError";
}

export interface HostInfo {
  platform: string;
  uid: number;
  has: (program: string) => boolean;
}

export function onPath(program: string): boolean {
  const folders = [...(process.env.PATH ?? "").split(delimiter), "/usr/sbin", "/sbin"];
  return folders.some((folder) => existsSync(join(folder, program)));
}

const thisHost = (): HostInfo => ({
  platform: process.platform,
  uid: process.getuid?.() ?? -1,
  has: onPath,
});

/** The Debian packages that are still missing for the local machine. */
export function missingPackages(host: HostInfo = thisHost()): string[] {
  const missing = Object.entries(TOOLS).filter(([program]) => !host.has(program));
  return [...new Set(missing.map(([, pkg]) => pkg))].sort();
}

/**
 * Checks that this host can run the local machine.
 * @throws UnsupportedHostError if it is not Linux, the user is not root, or packages are missing and there is no apt
 */
export function assertHost(host: HostInfo = thisHost()): void {
  const instead = "`npm run dev` runs the MCP server alone, without a machine";
  if (host.platform !== "linux") {
    throw new UnsupportedHostError(
      `The local machine is a systemd-nspawn guest and needs Linux, this is ${host.platform}: ${instead}.`,
    );
  }
  if (host.uid !== 0) {
    throw new UnsupportedHostError(
      `The local machine needs root (network, mounts, systemd-nspawn): use \`sudo npm run up\`, or ${instead}.`,
    );
  }
  const missing = missingPackages(host);
  if (missing.length > 0 && !host.has("apt-get")) {
    throw new UnsupportedHostError(
      `The local machine needs ${missing.join(", ")} and there is no apt-get to install them: install them by hand, or ${instead}.`,
    );
  }
}

/** Logs the names of the missing packages, and installs them. */
export async function installMissing(log: (line: string) => void): Promise<void> {
  const missing = missingPackages();
  if (missing.length === 0) return;
  log(`installing host packages: ${missing.join(" ")}`);
  await installPackages(missingPackages);
  const still = missingPackages();
  if (still.length > 0) throw new UnsupportedHostError(`apt-get did not bring ${still.join(", ")}.`);
}

/** Whether systemd is this host's init. If so, the guest runs as a transient unit, or else detached with a PID file. */
export const bootedWithSystemd = () => existsSync("/run/systemd/system");
