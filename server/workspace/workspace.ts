import { lstat, readdir, realpath } from "node:fs/promises";
import { basename, join } from "node:path";
import type { ServerConfig } from "../config/config.ts";
import { asServer } from "../shares/caller.ts";
import { ToolError } from "../tool-error.ts";
import { listGitFiles, listTrackedIgnored } from "./git.ts";

/** A git work tree that the tools may read. */
export interface Repository {
  readonly name: string;
  /** Absolute, with every symbolic link resolved. */
  readonly root: string;
}

/** How long the listing of a repository is used, milliseconds. */
const LISTING_MS = 2_000;
/** How far the time of a file may be behind the clock, milliseconds: the kernel uses the time of its last tick. */
const CLOCK_MS = 20;

interface Listing {
  /** When git listed the files. */
  at: number;
  files: Promise<ReadonlySet<string>>;
  /** Only searches of text need it. */
  trackedIgnored?: Promise<ReadonlySet<string>>;
}

/** The repositories of the workspace. They are looked up at each call, so a new clone is served at once. */
export class Workspace {
  readonly #where: ServerConfig["workspace"];
  readonly #listings: Map<string, Listing>;
  readonly #allows: (name: string) => boolean;

  /** @param listings those of the same folder, to share */
  constructor(
    where: ServerConfig["workspace"],
    allows: (name: string) => boolean = () => true,
    listings = new Map<string, Listing>(),
  ) {
    this.#where = where;
    this.#allows = allows;
    this.#listings = listings;
  }

  /** The same workspace as if the other repositories were not there. */
  limitedTo(allows: (name: string) => boolean): Workspace {
    return new Workspace(this.#where, (name) => this.#allows(name) && allows(name), this.#listings);
  }

  get dir(): string {
    return this.#where.dir;
  }

  /** All repositories, sorted by name. If the folder itself is a work tree, it is the only one. */
  async repositories(): Promise<Repository[]> {
    return (await this.#all()).filter(({ name }) => this.#allows(name));
  }

  async #all(): Promise<Repository[]> {
    const root = await realpath(this.#where.dir).catch(() => undefined);
    if (!root) return [];
    if (this.#where.kind === "single" || (await hasGit(root))) return [{ name: basename(root), root }];
    const entries = await readdir(root, { withFileTypes: true });
    // isDirectory() is false for symbolic links: a link could lead out of the workspace.
    const names = entries.filter((e) => e.isDirectory() && !e.name.startsWith(".")).map((e) => e.name);
    const found = await Promise.all(
      names.map(async (name) => ((await hasGit(join(root, name))) ? [name] : [])),
    );
    return found
      .flat()
      .sort()
      .map((name) => ({ name, root: join(root, name) }));
  }

  /**
   * @param name optional if there is exactly one repository; an exact name takes precedence over a similar one
   * @throws ToolError that names the repositories
   */
  async find(name?: string): Promise<Repository> {
    const all = await this.repositories();
    const names = all.map((r) => r.name).join(", ");
    if (all.length === 0) throw new ToolError("The workspace has no git repository yet.");
    if (name === undefined) {
      if (all.length === 1 && all[0]) return all[0];
      throw new ToolError(`There are several repositories. Pass "repo": one of ${names}.`);
    }
    const found = all.find((r) => r.name === name) ?? onlyLike(all, name);
    if (!found)
      throw new ToolError(`There is no repository ${JSON.stringify(name)}. Pass "repo": one of ${names}.`);
    return found;
  }

  /** The files of a repository that callers may see (see listGitFiles), at most two seconds old. */
  files(repo: Repository, now = Date.now()): Promise<ReadonlySet<string>> {
    return this.#listing(repo, now).files;
  }

  /** Those of `files` that git tracks although an ignore rule names them. As old as `files`. */
  trackedIgnored(repo: Repository, now = Date.now()): Promise<ReadonlySet<string>> {
    const listing = this.#listing(repo, now);
    listing.trackedIgnored ??= asServer(() => listTrackedIgnored(repo.root)).then((list) => new Set(list));
    listing.trackedIgnored.catch(() => this.#forget(repo.root, listing.at));
    return listing.trackedIgnored;
  }

  /**
   * Whether callers may see one file. If it is not in the listing and was created or changed after that, git lists it alone. So an ignored
   * file costs no listing.
   */
  async shows(repo: Repository, relative: string, now = Date.now()): Promise<boolean> {
    const { at, files } = this.#listing(repo, now);
    if ((await files).has(relative)) return true;
    const found = await lstat(join(repo.root, relative)).catch(() => undefined);
    if (!found || found.ctimeMs < at - CLOCK_MS) return false;
    return (await listGitFiles(repo.root, [`:(literal)${relative}`])).includes(relative);
  }

  #listing(repo: Repository, now: number): Listing {
    const known = this.#listings.get(repo.root);
    if (known && now - known.at < LISTING_MS) return known;
    const files = asServer(() => listGitFiles(repo.root)).then((list) => new Set(list));
    const listing: Listing = { at: now, files };
    files.catch(() => this.#forget(repo.root, now));
    this.#listings.set(repo.root, listing);
    setTimeout(() => this.#forget(repo.root, now), LISTING_MS).unref();
    return listing;
  }

  #forget(root: string, at: number): void {
    if (this.#listings.get(root)?.at === at) this.#listings.delete(root);
  }
}

/** The one repository that a name in another case, a URL (`https://host/owner/name.git`), a path or `owner/name` stands for. */
function onlyLike(all: readonly Repository[], given: string): Repository | undefined {
  const bare = given
    .replace(/[/\\]+$/, "")
    .replace(/\.git$/i, "")
    .split(/[/\\:]/)
    .at(-1)
    ?.toLowerCase();
  const [only, ...others] = all.filter(({ name }) => name.toLowerCase() === bare);
  return others.length === 0 ? only : undefined;
}

/** `.git` is a folder in a clone, a file in a linked work tree or a submodule. */
async function hasGit(dir: string): Promise<boolean> {
  return lstat(join(dir, ".git")).then(
    (s) => s.isDirectory() || s.isFile(),
    () => false,
  );
}
