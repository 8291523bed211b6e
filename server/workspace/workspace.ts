import { lstat, readdir, realpath } from "node:fs/promises";
import { basename, join } from "node:path";
import type { ServerConfig } from "../config/config.ts";
import { asServer } from "../shares/caller.ts";
import { ToolError } from "../tool-error.ts";
import { FileBacked, type Made } from "./file-backed.ts";
import { type Listing, listingOf } from "./git/listing.ts";
import { listGitFiles, listTrackedIgnored } from "./git.ts";
import { CLOCK_MS, Snapshot } from "./snapshot.ts";

/** A git work tree that the tools may read. */
export interface Repository {
  readonly name: string;
  /** Absolute, with every symbolic link resolved. */
  readonly root: string;
}

/** How long the listing of a repository is used, milliseconds. */
const LISTING_MS = 2_000;

interface UsedListing {
  /** When it was current. */
  at: number;
  listing: Promise<Listing>;
  files: Promise<ReadonlySet<string>>;
}

/** What several views of one folder share. */
interface Shared {
  readonly repositories: FileBacked<readonly Repository[]>;
  readonly listings: Map<string, UsedListing>;
  readonly trackedIgnored: WeakMap<ReadonlySet<string>, Promise<ReadonlySet<string>>>;
}

/** The repositories of the workspace. A new clone is served at once. */
export class Workspace {
  readonly #where: ServerConfig["workspace"];
  readonly #allows: (name: string) => boolean;
  readonly #shared: Shared;

  /** @param shared that of another view of the same folder */
  constructor(
    where: ServerConfig["workspace"],
    allows: (name: string) => boolean = () => true,
    shared: Shared = {
      repositories: new FileBacked(() => findRepositories(where)),
      listings: new Map(),
      trackedIgnored: new WeakMap(),
    },
  ) {
    this.#where = where;
    this.#allows = allows;
    this.#shared = shared;
  }

  /** The same workspace as if the other repositories were not there. */
  limitedTo(allows: (name: string) => boolean): Workspace {
    return new Workspace(this.#where, (name) => this.#allows(name) && allows(name), this.#shared);
  }

  get dir(): string {
    return this.#where.dir;
  }

  /** All repositories, sorted by name. If the folder itself is a work tree, it is the only one. */
  async repositories(): Promise<Repository[]> {
    return (await this.#shared.repositories.get()).filter(({ name }) => this.#allows(name));
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

  /** The files of a repository that callers may see (see Listing), at most two seconds old. */
  files(repo: Repository, now = Date.now()): Promise<ReadonlySet<string>> {
    return this.#listing(repo, now).files;
  }

  /** Absolute paths of the attribute files (gitattributes(5)) among `files`. */
  async attributeFiles(repo: Repository, now = Date.now()): Promise<readonly string[]> {
    return (await this.#listing(repo, now).listing).attributes;
  }

  /** Those of `files` that git tracks although an ignore rule names them. As old as `files`. */
  async trackedIgnored(repo: Repository, now = Date.now()): Promise<ReadonlySet<string>> {
    const files = await this.#listing(repo, now).files;
    const { trackedIgnored } = this.#shared;
    const known = trackedIgnored.get(files);
    if (known) return known;
    const ignored = asServer(() => listTrackedIgnored(repo.root)).then((list) => new Set(list));
    ignored.catch(() => trackedIgnored.delete(files));
    trackedIgnored.set(files, ignored);
    return ignored;
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

  #listing(repo: Repository, now: number): UsedListing {
    const { listings } = this.#shared;
    const known = listings.get(repo.root);
    if (known && now - known.at < LISTING_MS) return known;
    const current = listingOf(repo.root);
    const listing: UsedListing = { at: now, listing: current, files: current.then(({ files }) => files) };
    listing.files.catch(() => this.#forget(repo.root, now));
    listings.set(repo.root, listing);
    setTimeout(() => this.#forget(repo.root, now), LISTING_MS).unref();
    return listing;
  }

  #forget(root: string, at: number): void {
    const { listings } = this.#shared;
    if (listings.get(root)?.at === at) listings.delete(root);
  }
}

/** All repositories of a folder, sorted by name. If the folder itself is a work tree, it is the only one. */
async function findRepositories({
  dir,
  kind,
}: ServerConfig["workspace"]): Promise<Made<readonly Repository[]>> {
  const root = await realpath(dir).catch(() => undefined);
  const made = (
    value: readonly Repository[],
    paths: readonly string[],
    identities: readonly string[] = [],
  ) => ({
    value,
    snapshot: new Snapshot({ paths: [dir, ...paths], identities }),
    bytes: 400 * (1 + paths.length + identities.length),
  });
  if (root === undefined) return made([], []);
  const own = join(root, ".git");
  if (kind === "single" || (await hasGit(root)))
    return made([{ name: basename(root), root }], [], [root, own]);
  const entries = await readdir(root, { withFileTypes: true });
  // isDirectory() is false for symbolic links: a link could lead out of the workspace.
  const names = entries.filter((e) => e.isDirectory() && !e.name.startsWith(".")).map((e) => e.name);
  const are = await Promise.all(names.map((name) => hasGit(join(root, name))));
  const repositories = names.filter((_, n) => are[n]).sort();
  return made(
    repositories.map((name) => ({ name, root: join(root, name) })),
    // One of the others may become a repository.
    [root, ...names.filter((_, n) => !are[n]).map((name) => join(root, name))],
    repositories.map((name) => join(root, name, ".git")),
  );
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
