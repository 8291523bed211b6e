import { existsSync } from "node:fs";
import { mkdtemp, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { run } from "../../infra/exec.ts";
import { withLock } from "../../infra/local/lock.ts";
import { cacheFolder } from "../../infra/paths.ts";

/**
 * promtool, the tool that Prometheus comes with, from Debian's package. It is unpacked into the cache: nothing is installed on the host.
 * @returns its path
 * @throws CommandError with apt-get's message
 */
export async function promtool(): Promise<string> {
  const folder = cacheFolder("promtool");
  const program = join(folder, "promtool");
  if (existsSync(program)) return program;
  return withLock(join(folder, "lock"), async () => {
    if (existsSync(program)) return program;
    const work = await mkdtemp(join(folder, "new-"));
    try {
      const download = () =>
        run("apt-get", ["download", "-q", "prometheus"], { cwd: work, timeout: 120_000 });
      await download().catch(async () => {
        await run("apt-get", ["update", "-q"], { timeout: 120_000 });
        await download();
      });
      const [deb = ""] = await readdir(work);
      await run("dpkg-deb", ["-x", join(work, deb), join(work, "root")]);
      await rename(join(work, "root/usr/bin/promtool"), program);
    } finally {
      await rm(work, { recursive: true, force: true });
    }
    return program;
  });
}
