import { createHash, randomUUID } from "node:crypto";
import { lstat, mkdir, readdir, readFile, rename, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { ToolError } from "../tool-error.ts";
import { runChild } from "./child.ts";

/**
 * A view of a repository without its configuration. git(1) runs programs that a repository's own configuration names: filters,
 * textconv, fsmonitor, hooks, remote helpers, signature programs, and more with each of its versions. So git never reads that
 * configuration here. It gets another common folder (gitrepository-layout(5), GIT_COMMON_DIR) that holds a configuration of ours
 * and links to the repository's objects and refs.
 */
export interface GitView {
  /** Environment variables that make git use the view. */
  readonly env: Readonly<Record<string, string>>;
  /** The address of the remote `origin`: may hold credentials. */
  readonly origin: string | undefined;
}

/** What every git process of the server gets: nothing of the system's or an account's configuration, and no question to anybody. */
export const GIT_ENV: Readonly<Record<string, string>> = {
  GIT_CONFIG_NOSYSTEM: "1",
  GIT_CONFIG_GLOBAL: "/dev/null",
  GIT_ATTR_NOSYSTEM: "1",
  GIT_TERMINAL_PROMPT: "0",
};

/** Longest that git may take to read a configuration file, milliseconds. */
const TIME_LIMIT_MS = 10_000;

/** Of the account that this process runs as; there are no numbers on Windows. */
const UID = process.getuid?.() ?? 0;

const boolean = /^(|true|false|yes|no|on|off|1|0)$/i;

/**
 * The settings that are taken over, by name, with the values they may have: how objects and refs are stored, and how the work tree
 * compares with them. None of them names a program or a file.
 */
const TAKEN_OVER: Readonly<Record<string, RegExp>> = {
  "extensions.objectformat": /^(sha1|sha256)$/i,
  "extensions.refstorage": /^(files|reftable)$/i,
  "core.autocrlf": /^(|true|false|yes|no|on|off|1|0|input)$/i,
  "core.checkstat": /^(default|minimal)$/i,
  "core.eol": /^(lf|crlf|native)$/i,
  "core.filemode": boolean,
  "core.ignorecase": boolean,
  "core.precomposeunicode": boolean,
  "core.sparsecheckout": boolean,
  "core.sparsecheckoutcone": boolean,
  "core.symlinks": boolean,
  "core.trustctime": boolean,
};

/** Ours: what each command relies on, and the ways to a program or a network shut once more. */
const FIXED: readonly (readonly [string, string])[] = [
  ["core.repositoryformatversion", "1"],
  ["core.bare", "false"],
  ["core.fsmonitor", "false"],
  ["core.hookspath", "/dev/null"],
  ["core.quotepath", "false"],
  ["gc.auto", "0"],
  ["maintenance.auto", "false"],
  ["protocol.allow", "never"],
];

/** The parts of a common folder that are read, and are the repository's own. */
const LINKED = ["info", "logs", "objects", "packed-refs", "refs", "reftable", "shallow"] as const;

interface Known {
  stamp: string;
  view: Promise<GitView>;
}
const known = new Map<string, Known>();
/** Work trees whose view is remembered; the oldest goes first. */
const MAX_KNOWN = 1_000;

/**
 * The view of a work tree; made anew when its configuration files change.
 *
 * @param root absolute path of the work tree, links resolved
 * @throws ToolError when there is no repository, or its configuration cannot be read
 */
export async function viewOf(root: string): Promise<GitView> {
  const { gitDir, commonDir } = await foldersOf(root);
  const sources = [join(commonDir, "config"), join(gitDir, "config.worktree")];
  const stamp = [gitDir, commonDir, ...(await Promise.all(sources.map(stampOf)))].join("\n");
  const before = known.get(root);
  if (before?.stamp === stamp) {
    const view = await before.view;
    if (await isWhole(view.env.GIT_COMMON_DIR ?? "")) return view;
  }
  const view = make(root, gitDir, commonDir, sources);
  known.delete(root);
  known.set(root, { stamp, view });
  view.catch(() => known.delete(root));
  for (const oldest of known.keys()) {
    if (known.size <= MAX_KNOWN) break;
    known.delete(oldest);
  }
  return view;
}

/** `.git` is a folder, or a file that names one (a linked work tree, a submodule); a linked one names the common folder. */
async function foldersOf(root: string): Promise<{ gitDir: string; commonDir: string }> {
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

async function stampOf(file: string): Promise<string> {
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
  const read = (await Promise.all(sources.map((file) => settingsOf(file, parent)))).flat();
  const config = configText(read);
  const name = createHash("sha256").update(`${commonDir}\0${config}`).digest("hex").slice(0, 32);
  const folder = join(parent, name);
  if (!(await isWhole(folder))) {
    // Whole or not at all: the threads of the index make the same one.
    const partial = join(parent, `.${randomUUID()}`);
    await mkdir(partial, { mode: 0o700 });
    await Promise.all(LINKED.map((part) => symlink(join(commonDir, part), join(partial, part))));
    await writeFile(join(partial, "config"), config);
    await rm(folder, { recursive: true, force: true });
    await rename(partial, folder).catch(async (error) => {
      await rm(partial, { recursive: true, force: true });
      if (!(await isWhole(folder))) throw error;
    });
  }
  return {
    env: { ...GIT_ENV, GIT_DIR: gitDir, GIT_COMMON_DIR: folder, GIT_WORK_TREE: root },
    origin: read.findLast(([key]) => key === "remote.origin.url")?.[1],
  };
}

let pruned = false;

/** A folder for temporary files is also other accounts': only one that is ours alone will do. */
async function ownFolder(): Promise<string> {
  const folder = join(tmpdir(), `mcp-edge-git-${UID}`);
  await mkdir(folder, { mode: 0o700 }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "EEXIST") throw error;
  });
  if (!(await isOurs(folder)))
    throw new Error(`${folder} belongs to somebody else; remove it, or set TMPDIR to a folder of your own`);
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

/** Something clears old files out of /tmp now and then: a part of a view may be missing, or its place be taken. */
async function isWhole(folder: string): Promise<boolean> {
  if (!(await isOurs(dirname(folder))) || !(await isOurs(folder))) return false;
  const names = await readdir(folder).catch(() => []);
  return names.sort().join() === [...LINKED, "config"].sort().join();
}

/**
 * The settings of a configuration file in their order, without those of files that it includes: such a file may be any on this
 * machine. `git config --file` reads the file and runs nothing.
 */
export async function settingsOf(file: string, cwd: string): Promise<[string, string][]> {
  if ((await stampOf(file)) === "-") return [];
  const args = ["config", "--file", file, "--no-includes", "--null", "--list"];
  // Not a repository: git looks for none.
  const env = { ...GIT_ENV, GIT_DIR: "/dev/null" };
  const result = await runChild("git", args, { cwd, env, timeoutMs: TIME_LIMIT_MS, maxBytes: 1024 * 1024 });
  if (result.stopped) throw new ToolError(`git could not read ${file}: ${result.stopped}`);
  if (result.code !== 0) throw new ToolError(`git could not read ${file}: ${result.stderr.trim()}`);
  return result.stdout
    .toString("utf8")
    .split("\0")
    .flatMap((entry) => {
      const end = entry.indexOf("\n");
      // Names alone are true (git-config(1)).
      if (entry === "") return [];
      return [end === -1 ? [entry, "true"] : [entry.slice(0, end), entry.slice(end + 1)]] as [
        string,
        string,
      ][];
    });
}

function configText(read: readonly (readonly [string, string])[]): string {
  const taken = read.filter(([key, value]) => TAKEN_OVER[key]?.test(value));
  // The last one of a name holds.
  const settings = new Map([...taken, ...FIXED]);
  return [...settings]
    .map(([key, value]) => {
      const [section = "", name = ""] = key.split(".");
      return `[${section}]\n\t${name} = ${value}\n`;
    })
    .join("");
}
