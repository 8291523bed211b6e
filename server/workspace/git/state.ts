import { readdir, realpath } from "node:fs/promises";
import { join } from "node:path";
import { FileBacked, type Made } from "../file-backed.ts";
import { PerRepository } from "../per-repository.ts";
import { Snapshot } from "../snapshot.ts";
import { type Head, readHead, textOf } from "./head.ts";
import { foldersOf, viewOf } from "./view.ts";

/** What the server knows of a repository without a git process. It is read again when the repository has changed. */
export interface RepositoryState {
  /** The folder of the work tree's own files: HEAD, index. */
  readonly gitDir: string;
  /** The folder of what all work trees share: objects, refs. */
  readonly commonDir: string;
  /** The address of the remote `origin`. It may contain credentials. */
  readonly origin: string | undefined;
  /** The branch that is checked out, "" if HEAD is detached; undefined where only git knows (refs in reftables). */
  readonly branch: string | undefined;
  /** The commit that is checked out, "" if there is none; undefined where only git knows. */
  readonly head: string | undefined;
  /** The commits at which a shallow history ends: their parents are not in this copy. */
  readonly shallow: ReadonlySet<string>;
  /** Differs for each state of the refs. Undefined while a change could go unnoticed: keep nothing that depends on the refs. */
  readonly refsKey: string | undefined;
  /**
   * Equal as long as a commit has the same parents and content: it depends on the shallow boundary, grafts and replaced objects, and on the
   * settings that git reads. Undefined as above.
   */
  readonly historyKey: string | undefined;
}

const states = new PerRepository((root) => new FileBacked(() => readState(root)));

/**
 * The state of a repository, as new as the call.
 *
 * @param root absolute path of the work tree, without symbolic links
 * @throws ToolError if there is no repository, or its configuration cannot be read
 */
export function stateOf(root: string, signal?: AbortSignal): Promise<RepositoryState> {
  return states.of(root).get(signal);
}

/** How many states were read, over all repositories. */
let count = 0;

async function readState(root: string): Promise<Made<RepositoryState>> {
  const since = Date.now();
  const { gitDir, commonDir } = await foldersOf(root);
  const { origin } = await viewOf(root);
  const dirs = [...new Set([commonDir, gitDir])];
  // git replaces a loose ref by renaming a file, so the time of its folder changes.
  const refFolders = await foldersBelow(dirs.map((dir) => join(dir, "refs")));
  const packedRefs = await withoutLinks(join(commonDir, "packed-refs"));
  const packed = await textOf(packedRefs);
  const head = await readHead(gitDir, commonDir, packed);
  const shallow = await textOf(join(commonDir, "shallow"));

  const history = {
    paths: [
      join(commonDir, "shallow"),
      join(commonDir, "info", "grafts"),
      join(commonDir, "config"),
      join(gitDir, "config.worktree"),
    ],
    identities: [commonDir, gitDir, join(commonDir, "objects")],
  };
  const dotGit = join(root, ".git");
  const snapshot = new Snapshot({
    paths: [
      ...history.paths,
      ...(gitDir === dotGit ? [] : [dotGit, join(gitDir, "commondir")]),
      join(gitDir, "HEAD"),
      ...(head.ref === undefined ? [] : [join(commonDir, head.ref)]),
      packedRefs,
      ...dirs.map((dir) => join(dir, "reftable", "tables.list")),
      ...(refFolders ?? []),
    ],
    identities: history.identities,
  });
  const settled = refFolders !== undefined && snapshot.isSettled(since);
  const refsKey = settled ? `${commonDir}\0${++count}` : undefined;
  const historyKey = settled ? `${commonDir}\0${new Snapshot(history).key}` : undefined;
  const value: RepositoryState = {
    gitDir,
    commonDir,
    origin,
    branch: head.branch,
    head: head.commit,
    shallow: new Set(shallow.split("\n").filter(Boolean)),
    refsKey,
    historyKey: mayReplace(refFolders ?? [], packed, head) ? refsKey : historyKey,
  };
  const bytes = refFolders ? 1_000 + 200 * refFolders.length : Number.POSITIVE_INFINITY;
  return { value, snapshot, bytes };
}

/** Whether the repository may have replaced objects (git-replace(1)). They are refs; in reftables they are not looked up. */
const mayReplace = (refFolders: readonly string[], packed: string, head: Head) =>
  head.branch === undefined ||
  refFolders.some((folder) => folder.endsWith("/refs/replace")) ||
  packed.includes(" refs/replace/");

/** A repository with more folders of refs is read at each call. */
const MAX_REF_FOLDERS = 1_000;

/**
 * Some folders and those below them. git allows links for the first ones, so the paths have none.
 *
 * @returns undefined if there are too many
 */
async function foldersBelow(folders: readonly string[]): Promise<string[] | undefined> {
  const all: string[] = [];
  for (let next = await Promise.all(folders.map(withoutLinks)); next.length > 0; ) {
    all.push(...next);
    if (all.length > MAX_REF_FOLDERS) return undefined;
    next = (await Promise.all(next.map(foldersIn))).flat();
  }
  return all;
}

async function foldersIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  return entries.filter((entry) => entry.isDirectory()).map((entry) => join(folder, entry.name));
}

const withoutLinks = (path: string) => realpath(path).catch(() => path);
