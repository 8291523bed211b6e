import { readdir, readFile, rmdir } from "node:fs/promises";
import { join } from "node:path";

/**
 * A control group for each guest, on hosts whose init is not systemd. systemd-nspawn with `--keep-unit` puts the
 * guest's tree under the group it was started in: two guests started from one group would share
 * `payload/system.slice/nginx.service`, and a restart of NGINX in one would end the other's (cgroup.kill).
 */

/** The guest's group in each hierarchy that systemd-nspawn uses: the unified one, and v1's `name=systemd`. */
export async function cgroupFolders(name: string): Promise<string[]> {
  const mounts = (await readFile("/proc/self/mounts", "utf8")).split("\n").map((line) => line.split(" "));
  const memberships = (await readFile("/proc/self/cgroup", "utf8")).trim().split("\n");
  return memberships.flatMap((line) => {
    const [id = "", controllers = "", ...rest] = line.split(":");
    const mount = mounts.find(([, , type, options = ""]) =>
      id === "0"
        ? type === "cgroup2"
        : type === "cgroup" && controllers === "name=systemd" && options.includes(controllers),
    );
    return mount?.[1] ? [join(mount[1], rest.join(":"), `mcp-edge-${name}`)] : [];
  });
}

/** A command line that moves itself into these groups, then executes the command. A group that cannot be created is skipped. */
export const inCgroups = (folders: string[], command: string, args: string[]): [string, string[]] => [
  "sh",
  [
    "-c",
    'n=$1; shift; while [ "$n" -gt 0 ]; do { mkdir -p "$1" && echo $$ >"$1/cgroup.procs"; } || true; shift; n=$((n - 1)); done; exec "$@"',
    "sh",
    ...[String(folders.length), ...folders, command, ...args],
  ],
];

/** Removes a guest's empty groups. */
export async function removeCgroups(name: string): Promise<void> {
  for (const folder of await cgroupFolders(name)) await removeTree(folder);
}

async function removeTree(folder: string): Promise<void> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  for (const entry of entries) if (entry.isDirectory()) await removeTree(join(folder, entry.name));
  await rmdir(folder).catch(() => {});
}
