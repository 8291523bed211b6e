import { createHash, randomUUID } from "node:crypto";
import { lstat, mkdir, readdir, readFile, rename, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { ToolError } from "../../tool-error.ts";
import { settingsOf, viewConfig } from "./config.ts";

/**
 * A view of a repository without its configuration. git(1) runs programs that the configuration of a repository names: filters,
 * textconv, fsmonitor, hooks, remote helpers, signature programs, and more with each version. So git never reads that
 * configuration here. It gets another common folder (gitrepository-layout(5), GIT_COMMON_DIR) with a configuration of the server
 * and links to the objects and refs of the repository.
 */
export interface GitView {
  /** Environment variables that make git use the view. */
  readonly env: Readonly<Record<string, string>>;
  /** The address of the remote `origin`. It may contain credentials. */
  readonly origin: string | undefined;
}

/** The account of this process. Windows has no numbers for accounts. */
const UID = process.getuid?.() ?? 0;

/** The parts of a common folder that are links into the repository. */
const LINKED = ["info", "logs", "objects", "packed-refs", "refs", "reftable", "shallow"] as const;

interface Known {
  /** Changes with the configuration files. */
  fingerprint: string;
  view: Promise<GitView>;
}
const known = new Map<string, Known>();
/** Largest number of views in memory; the oldest one is dropped first. */
const MAX_KNOWN = 1_000;

/**
 * The view of a work tree. It is recreated if the configuration files have changed.
 *
 * @param root absolute path of the work tree, without symbolic links
 * @throws ToolError if there is no repository, or its configuration cannot be read
 */
export async function viewOf(root: string): Promise<GitView> {
  const { gitDir, commonDir } = await foldersOf(root);
  const sources = [join(commonDir, "config"), join(gitDir, "config.worktree")];
  const fingerprint = [gitDir, commonDir, ...(await Promise.all(sources.map(fingerprintOf)))].join("\n");
  const before = known.get(root);
  if (before?.fingerprint === fingerprint) {
    const view = await before.view;
    if (await isComplete(view.env.GIT_COMMON_DIR ?? "")) return view;
  }
  const view = make(root, gitDir, commonDir, sources);
  known.delete(root);
  known.set(root, { fingerprint, view });
  view.catch(() => known.delete(root));
  for (const oldest of known.keys()) {
    if (known.size <= MAX_KNOWN) break;
    known.delete(oldest);
  }
  return view;
}

/** `.git` is a folder, or a file that names one (in a linked work tree or a submodule). A linked work tree also names the common folder. */
export async function foldersOf(root: string): Promise<{ gitDir: string; commonDir: string }> {
  const dotGit = join(root, ".git");
  const what = await lstat(dotGit).catch(() => undefined);
  if (!what?.isDirectory() && !what?.isFile()) throw new ToolError(`${root} is not a git repository.`);
  let gitDir = dotGit;
  if (what.isFile()) {
    const target = /^gitdir: ([^\0]+?)[\r\n]*$/.exec(await readFile(dotGit, "utf8"))?.[1];
    if (target === undefined) throw new ToolError(`${root} is not a git repository: .git names no folder.`);
    gitDir = resolve(root, target);
  }
  const common = await readFile(join(gitDir, "commondir"), "utf8").catch(() => undefined);
  return { gitDir, commonDir: common === undefined ? gitDir : resolve(gitDir, common.trim()) };
}

async function fingerprintOf(file: string): Promise<string> {
  const found = await stat(file, { bigint: true }).catch(() => undefined);
  return found ? `${found.ino} ${found.size} ${found.mtimeNs} ${found.ctimeNs}` : "-";
}

async function make(
  root: string,
  gitDir: string,
  commonDir: string,
  sources: readonly string[],
): Promise<GitView> {
  const parent = await ownFolder();
  const settings = (await Promise.all(sources.map((file) => settingsOf(file, parent)))).flat();
  const config = viewConfig(settings);
  const name = createHash("sha256").update(`${commonDir}\0${config}`).digest("hex").slice(0, 32);
  const folder = join(parent, name);
  if (!(await isComplete(folder))) {
    // Renamed into place complete: the threads of the index may make the same view at the same time.
    const partial = join(parent, `.${randomUUID()}`);
    await mkdir(partial, { mode: 0o700 });
    await Promise.all(LINKED.map((part) => symlink(join(commonDir, part), join(partial, part))));
    await writeFile(join(partial, "config"), config);
    await rm(folder, { recursive: true, force: true });
    await rename(partial, folder).catch(async (error) => {
      await rm(partial, { recursive: true, force: true });
      if (!(await isComplete(folder))) throw error;
    });
  }
  return {
    env: { GIT_DIR: gitDir, GIT_COMMON_DIR: folder, GIT_WORK_TREE: root },
    origin: settings.findLast(([key]) => key === "remote.origin.url")?.[1],
  };
}

let pruned = false;

/** The folder of the views. The folder for temporary files belongs to all accounts, so its owner and mode are checked. */
async function ownFolder(): Promise<string> {
  const folder = join(tmpdir(), `mcp-edge-git-${UID}`);
  await mkdir(folder, { mode: 0o700 }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "EEXIST") throw error;
  });
  if (!(await isOurs(folder)))
    throw new Error(`${folder} belongs to another account; remove it, or set TMPDIR to a folder of your own`);
  if (!pruned) await prune(folder);
  pruned = true;
  return folder;
}

async function isOurs(folder: string): Promise<boolean> {
  const found = await lstat(folder).catch(() => undefined);
  return found?.isDirectory() === true && found.uid === UID && (found.mode & 0o022) === 0;
}

/** Removes the views of repositories that are gone. */
async function prune(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    const objects = join(folder, name, "objects");
    if (name.startsWith(".") || (await stat(objects).catch(() => undefined))) continue;
    await rm(join(folder, name), { recursive: true, force: true });
  }
}

/** Another program may remove old files from /tmp. A part of a view is missing then, or its path is in use. */
async function isComplete(folder: string): Promise<boolean> {
  if (!(await isOurs(dirname(folder))) || !(await isOurs(folder))) return false;
  const names = await readdir(folder).catch(() => []);
  return names.sort().join() === [...LINKED, "config"].sort().join();
}
