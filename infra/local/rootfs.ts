import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { mkdir, rename, rm, statfs } from "node:fs/promises";
import { join } from "node:path";
import { PACKAGES } from "../../cloud-init/packages.ts";
import { run } from "../exec.ts";
import { cacheFolder } from "../paths.ts";
import { withLock } from "./lock.ts";

/** Packages of a machine in addition to a minimal Debian root filesystem: init, network, cloud-init, a shell for operators. */
const CORE = [
  "systemd-sysv",
  "systemd-resolved",
  "dbus",
  "libpam-systemd",
  "cloud-init",
  "openssh-server",
  "e2fsprogs",
  "iproute2",
  "netbase",
  "eatmydata",
];

/** The local certificate authority (Pebble, its DNS server) runs from this root filesystem too. */
const AUTHORITY = ["pebble"];

/** Programs that check the machine's files; the tests run them inside this root filesystem. */
const LINTERS = ["shellcheck"];

/** Drop-ins of the file that cloud-init writes for `host0` (systemd.network(5)). */
const HOST0_DROPIN = "/etc/systemd/network/10-cloud-init-host0.network.d";

const SUITE = "trixie";

/** Debian's own, and backports for Caddy alone, as on an origin. */
const SOURCES = [
  `deb http://deb.debian.org/debian ${SUITE} main`,
  `deb http://deb.debian.org/debian ${SUITE}-updates main`,
  `deb http://security.debian.org/debian-security ${SUITE}-security main`,
  `deb http://deb.debian.org/debian ${SUITE}-backports main`,
];
const PREFERENCES = readFileSync(
  new URL("../../cloud-init/files/etc/backports.preferences", import.meta.url),
  "utf8",
);
const SPACE_NEEDED = 1.5e9;

export interface Rootfs {
  path: string;
  /** Hash of the suite, packages and recipe. */
  key: string;
}

const recipe = (include: readonly string[]): string[] => [
  "--mode=root",
  "--variant=minbase",
  `--setup-hook=mkdir -p "$1"/etc/apt/preferences.d && printf %s '${PREFERENCES}' >"$1"/etc/apt/preferences.d/mcp-edge`,
  `--include=${include.join(",")}`,
  '--aptopt=APT::Install-Recommends "false"',
  '--aptopt=Acquire::Languages "none"',
  "--dpkgopt=force-unsafe-io",
  "--dpkgopt=path-exclude=/usr/share/doc/*",
  "--dpkgopt=path-exclude=/usr/share/man/*",
  "--dpkgopt=path-exclude=/usr/share/locale/*",
  // minbase does not enable networkd, without which the guest has no address.
  '--customize-hook=chroot "$1" systemctl enable systemd-networkd.service systemd-resolved.service',
  '--customize-hook=chroot "$1" systemctl mask getty.target console-getty.service',
  // They start once the machine's files exist. Each machine enables those that it has.
  '--customize-hook=cd "$1"/etc/systemd/system/multi-user.target.wants && rm -f nginx.service fail2ban.service caddy.service',
  // NGINX as the edge does without this module; a forwarder loads it itself.
  '--customize-hook=rm -f "$1"/etc/nginx/modules-enabled/*-mod-stream.conf',
  // Only this guest is on the bridge. Without duplicate address detection its network is up two seconds earlier.
  `--customize-hook=mkdir -p "$1"${HOST0_DROPIN} && printf '[Network]\\nIPv6DuplicateAddressDetection=0\\n' > "$1"${HOST0_DROPIN}/mcp-edge.conf`,
  // An origin has files of its own for backports.
  '--customize-hook=rm "$1"/etc/apt/preferences.d/mcp-edge && sed -i /backports/d "$1"/etc/apt/sources.list',
  // Every machine generates its own identity.
  '--customize-hook=rm -f "$1"/etc/ssh/ssh_host_* "$1"/etc/hostname; : > "$1"/etc/machine-id',
];

function rootfsKey(packages: readonly string[] = PACKAGES): string {
  const include = [...new Set([...CORE, ...AUTHORITY, ...LINTERS, ...packages])].sort();
  const parts = [SUITE, ...SOURCES, process.arch, ...recipe(include)];
  return createHash("sha256").update(JSON.stringify(parts)).digest("hex").slice(0, 16);
}

/**
 * The Debian 13 root filesystem below every local machine's overlay. It is created once (about 25 s and
 * 100 MB of packages), cached under a hash of its recipe, and never changed afterwards.
 * @throws Error without enough disk space, or if mmdebstrap fails; nothing partial is left
 */
export async function ensureRootfs(log: (line: string) => void): Promise<Rootfs> {
  const key = rootfsKey();
  const folder = cacheFolder("rootfs");
  const path = join(folder, key);
  if (existsSync(path)) return { path, key };
  return withLock(join(folder, `${key}.lock`), async () => {
    if (existsSync(path)) return { path, key };
    await assertSpace(folder);
    const include = [...new Set([...CORE, ...AUTHORITY, ...LINTERS, ...PACKAGES])].sort();
    const partial = `${path}.partial`;
    await rm(partial, { recursive: true, force: true });
    await mkdir(partial, { recursive: true });
    log(`making the Debian 13 root filesystem (${include.length} packages and what they need, about 100 MB)`);
    try {
      await run("eatmydata", ["mmdebstrap", ...recipe(include), SUITE, partial, ...SOURCES], {
        timeout: 900_000,
        // Its steps end in dots. The other lines are its own settings and the hooks above.
        onLine: (line) => {
          if (/^I: .*\.\.\.$/.test(line)) log(line.slice(3));
        },
      });
      await rename(partial, path);
    } catch (error) {
      await rm(partial, { recursive: true, force: true });
      throw new Error(
        `The Debian root filesystem could not be made. Is Debian's mirror reachable (apt-get update)?\n${(error as Error).message}`,
      );
    }
    return { path, key };
  });
}

async function assertSpace(folder: string): Promise<void> {
  const { bavail, bsize } = await statfs(folder);
  const free = bavail * bsize;
  if (free < SPACE_NEEDED) {
    throw new Error(
      `Not enough room in ${folder}: ${(free / 1e6).toFixed(0)} MB free, ${SPACE_NEEDED / 1e6} MB needed. ` +
        "Free some, or set MCP_EDGE_CACHE to a folder on a larger disk.",
    );
  }
}
