import { join } from "node:path";
import { run } from "../exec.ts";
import { cacheFolder } from "../paths.ts";
import { withLock } from "./lock.ts";

const ENV = { DEBIAN_FRONTEND: "noninteractive" };
/** Seconds to wait for another program, such as unattended-upgrades, that holds dpkg's lock. */
const WAIT = ["-o", "DPkg::Lock::Timeout=300"];

/**
 * Installs Debian packages on this host. Needs root. One process at a time installs, since apt-get fails at once where another one updates
 * the package lists.
 *
 * @param missing the names of the packages that are still needed. It is called with the lock held: another process may have brought them.
 * @throws CommandError with apt-get's own message
 */
export async function installPackages(missing: () => readonly string[]): Promise<void> {
  await withLock(join(cacheFolder("locks"), "apt.lock"), async () => {
    const packages = missing();
    if (packages.length === 0) return;
    const install = () =>
      run("apt-get", ["install", "-y", "-q", "--no-install-recommends", ...WAIT, ...packages], {
        env: ENV,
        timeout: 600_000,
      });
    try {
      await install();
    } catch {
      // A new host may have no package lists, or old ones.
      await run("apt-get", ["update", "-q"], { env: ENV, timeout: 120_000 });
      await install();
    }
  });
}
