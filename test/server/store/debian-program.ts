import { existsSync, readdirSync } from "node:fs";
import { mkdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { run } from "../../../infra/exec.ts";
import { assertHost, installMissing } from "../../../infra/local/host.ts";
import { withLock } from "../../../infra/local/lock.ts";
import { cacheFolder } from "../../../infra/paths.ts";

/** Why this host cannot unpack Debian's packages, or undefined. */
export function whyNoDebian(): string | undefined {
  try {
    assertHost();
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

/**
 * A program of a Debian release with the libraries it was built for, unpacked (not installed) into the cache, some 50 MB. It runs in the
 * host's own file system, by the dynamic loader that came with it.
 *
 * @returns the command line's beginning
 */
export async function debianProgram(suite: string, name: string): Promise<string[]> {
  const folder = cacheFolder("programs");
  const root = join(folder, `${suite}-${name}`);
  if (!existsSync(root)) {
    await installMissing(console.log);
    await withLock(join(folder, `${suite}-${name}.lock`), async () => {
      if (existsSync(root)) return;
      const partial = `${root}.partial`;
      await rm(partial, { recursive: true, force: true });
      await mkdir(partial, { recursive: true });
      await run("mmdebstrap", ["--variant=extract", `--include=${name}`, suite, partial], {
        timeout: 300_000,
      });
      await rename(partial, root);
    });
  }
  // Before Debian 13 /lib was a folder of its own.
  const libraries = ["usr/lib", "lib"]
    .map((lib) => join(root, lib))
    .filter(existsSync)
    .flatMap((lib) =>
      readdirSync(lib)
        .filter((f) => f.endsWith("-linux-gnu"))
        .map((f) => join(lib, f)),
    );
  const loader = libraries
    .flatMap((lib) =>
      readdirSync(lib)
        .filter((f) => f.startsWith("ld-linux-"))
        .map((f) => join(lib, f)),
    )
    .at(0);
  if (!loader) throw new Error(`${root} holds no dynamic loader; remove it and try again: rm -r ${root}`);
  return [loader, "--library-path", libraries.join(":"), join(root, "usr/bin", name)];
}
