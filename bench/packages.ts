import { existsSync } from "node:fs";
import { cp, mkdir, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { cacheFolder } from "../infra/paths.ts";

/** Makes a folder of the cache once. Another process may be faster. @returns its path */
export async function cachedFolder(
  name: string,
  make: (folder: string) => Promise<unknown>,
): Promise<string> {
  const folder = join(cacheFolder("bench"), name);
  if (existsSync(folder)) return folder;
  const partial = `${folder}.${process.pid}.partial`;
  await rm(partial, { recursive: true, force: true });
  await mkdir(partial, { recursive: true });
  try {
    await make(partial);
    await rename(partial, folder);
  } catch (error) {
    if (!existsSync(folder)) throw error;
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
  return folder;
}

/** A package of npm without its dependencies. @param spec `name@version` @returns its folder */
export async function npmPackage(spec: string): Promise<string> {
  const folder = await cachedFolder(spec.replace(/[@/]+/g, "-").replace(/^-/, ""), async (into) => {
    const { stdout } = await execa("npm", ["pack", "--silent", spec], { cwd: into });
    await execa("tar", ["-xzf", stdout.trim().split("\n").at(-1) ?? ""], { cwd: into });
  });
  return join(folder, "package");
}

/** The `index.js` of scip-python. Its package contains all that it needs. */
export const scipPython = async () => join(await npmPackage("@sourcegraph/scip-python@0.6.6"), "index.js");

/** A git repository with one commit: the sources in a wheel of PyPI. @param spec `name==version` */
export function wheelRepository(spec: string): Promise<string> {
  return cachedFolder(`wheel-${spec.replace("==", "-")}`, async (into) => {
    const pip = [
      "-m",
      "pip",
      "download",
      "--quiet",
      "--no-deps",
      "--only-binary=:all:",
      "--dest",
      into,
      spec,
    ];
    await execa("python3", pip);
    const [wheel = ""] = await readdir(into);
    await execa("python3", ["-m", "zipfile", "-e", join(into, wheel), into]);
    await rm(join(into, wheel));
    await commitAll(into);
  });
}

/** A git repository with one commit: a Go module from the module proxy. @param spec `path@version` */
export function goRepository(spec: string): Promise<string> {
  return cachedFolder(`go-${spec.replace(/[@/]/g, "-")}`, async (into) => {
    const { stdout } = await execa("go", ["mod", "download", "-json", spec], { cwd: into });
    await cp(JSON.parse(stdout).Dir, into, { recursive: true });
    // Go's cache of modules is read-only.
    await execa("chmod", ["-R", "u+w", into]);
    await commitAll(into);
  });
}

async function commitAll(root: string): Promise<void> {
  const date = "2026-01-01T00:00:00Z";
  const env = { GIT_AUTHOR_DATE: date, GIT_COMMITTER_DATE: date };
  const git = (...args: string[]) =>
    execa("git", ["-c", "user.name=Bench", "-c", "user.email=bench@example.test", ...args], {
      cwd: root,
      env,
    });
  await git("init", "--quiet");
  await git("add", "--all", "--force");
  await git("commit", "--quiet", "--message=Import");
}
