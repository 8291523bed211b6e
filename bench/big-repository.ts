import { createHash } from "node:crypto";
import { copyFile, mkdir, readdir, readFile, rename, rm, stat } from "node:fs/promises";
import { dirname, extname, join, relative } from "node:path";
import { execa } from "execa";
import { cacheFolder, projectRoot } from "../infra/paths.ts";

/** Source code, as the packages of the lockfile hold it. */
const ENDINGS = new Set([".js", ".mjs", ".cjs", ".ts", ".mts", ".cts", ".css", ".py", ".md"]);
/** What is longer a line on average is minified: nobody reads it. Bytes. */
const MAX_MEAN_LINE = 200;
const MAX_FILE = 512 * 1024;

export interface BigRepository {
  root: string;
  files: number;
  lines: number;
}

/**
 * A git repository of at least so many lines of real code: files of node_modules in the order of their names' hashes, so that the same
 * lockfile gives the same repository. Kept in the cache.
 */
export async function bigRepository(lines = 1_000_000): Promise<BigRepository> {
  const from = join(projectRoot, "node_modules");
  const lock = createHash("sha256").update(await readFile(join(projectRoot, "package-lock.json")));
  const root = join(cacheFolder("bench"), `code-${lines}-${lock.digest("hex").slice(0, 12)}`);
  if (!(await stat(join(root, ".git")).catch(() => undefined))) await make(from, root, lines);
  const git = (...args: string[]) => execa("git", ["-C", root, ...args], { stripFinalNewline: true });
  const [files, counted] = await Promise.all([git("ls-files"), git("rev-list", "--format=%B", "-1", "HEAD")]);
  return {
    root,
    files: files.stdout.split("\n").length,
    lines: Number(/(\d+) lines/.exec(counted.stdout)?.[1]),
  };
}

async function make(from: string, root: string, wanted: number): Promise<void> {
  const partial = `${root}.partial`;
  await rm(partial, { recursive: true, force: true });
  const hash = (path: string) => createHash("sha256").update(path).digest("hex");
  const sorted = (await sources(from))
    .map((path) => ({ path, key: hash(path) }))
    .sort((a, b) => (a.key < b.key ? -1 : 1));
  let lines = 0;
  for (const { path } of sorted) {
    if (lines >= wanted) break;
    const text = await readFile(join(from, path));
    const count = text.toString("latin1").split("\n").length - 1;
    if (count === 0 || text.length > MAX_FILE || text.length / count > MAX_MEAN_LINE || text.includes(0))
      continue;
    lines += count;
    // Not the name of a folder that ripgrep or git would leave out.
    const to = join(partial, "packages", path.replaceAll("node_modules/", "_/"));
    await mkdir(dirname(to), { recursive: true });
    await copyFile(join(from, path), to);
  }
  if (lines < wanted) throw new Error(`node_modules holds only ${lines} lines of code; run: npm ci`);
  const git = (...args: string[]) =>
    execa("git", ["-c", "user.name=Bench", "-c", "user.email=bench@example.test", "-C", partial, ...args]);
  await execa("git", ["init", "--quiet", "--initial-branch=main", partial]);
  await git("add", "--all", "--force");
  await git("commit", "--quiet", `--message=${lines} lines`);
  await rename(partial, root);
}

async function sources(from: string): Promise<string[]> {
  const entries = await readdir(await realFolder(from), { recursive: true, withFileTypes: true });
  const real = await realFolder(from);
  return entries
    .filter((entry) => entry.isFile() && ENDINGS.has(extname(entry.name)))
    .map((entry) => relative(real, join(entry.parentPath, entry.name)));
}

const realFolder = async (path: string) => (await import("node:fs/promises")).realpath(path);
