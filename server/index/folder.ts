import { createHash, randomUUID } from "node:crypto";
import { lstat, mkdir, open, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { tryLock } from "../lock.ts";
import { INDEX_VERSION } from "./database.ts";
import { PRECISE_FILE, PRECISE_LOCK } from "./scip/database.ts";

/** The embeddings of the repository. The file outlives the generations of the index. */
export const VECTORS_FILE = "vectors.sqlite";

/** Names the current generation. It is renamed into place, so that it is always complete. */
const POINTER = `current-v${INDEX_VERSION}.json`;

/** The folder with the index of one repository: generations, the pointer to the current one, the lock of the builder. */
export class IndexFolder {
  readonly path: string;
  readonly root: string;

  /** @param dir INDEX_DIR @param root the repository's work tree, absolute */
  constructor(dir: string, root: string) {
    const key = createHash("sha256").update(root).digest("hex").slice(0, 16);
    this.path = join(
      dir,
      `${basename(root)
        .replace(/[^\w.-]/g, "_")
        .slice(0, 64)}-${key}`,
    );
    this.root = root;
  }

  /** @returns the database file of the current generation; undefined before the first build, or if the pointer is damaged */
  async current(): Promise<string | undefined> {
    const file = (await readPointer(this.path))?.file;
    if (typeof file !== "string" || !/^[\w-]+\.sqlite$/.test(file)) return undefined;
    const found = join(this.path, file);
    return (await lstat(found).catch(() => undefined))?.isFile() ? found : undefined;
  }

  /** A file name for a new generation. */
  async next(): Promise<string> {
    await mkdir(this.path, { recursive: true, mode: 0o750 });
    return join(this.path, `v${INDEX_VERSION}-${randomUUID()}.sqlite`);
  }

  /** Makes a finished generation the current one, and removes all others. Readers keep those open. */
  async publish(file: string): Promise<void> {
    await sync(file);
    const partial = join(this.path, `${POINTER}.${randomUUID()}`);
    await writeFile(partial, JSON.stringify({ root: this.root, file: basename(file) }));
    await sync(partial);
    await rename(partial, join(this.path, POINTER));
    const keep = new Set([
      POINTER,
      "lock.sqlite",
      PRECISE_LOCK,
      ...["", "-wal", "-shm"].flatMap((end) => [
        basename(file) + end,
        VECTORS_FILE + end,
        PRECISE_FILE + end,
      ]),
    ]);
    for (const name of await readdir(this.path))
      if (!keep.has(name)) await rm(join(this.path, name), { force: true });
  }

  /**
   * Only one process builds at a time: the two instances of a release switch share this folder.
   *
   * @returns releases the lock; undefined if another process builds
   */
  async lock(): Promise<(() => void) | undefined> {
    await mkdir(this.path, { recursive: true, mode: 0o750 });
    return tryLock(join(this.path, "lock.sqlite"));
  }
}

/** Removes the indexes of repositories that no longer exist on this machine. A damaged one stays and is built again. */
export async function prune(dir: string, exists: (root: string) => boolean): Promise<void> {
  for (const name of await readdir(dir).catch(() => [])) {
    const root = (await readPointer(join(dir, name)))?.root;
    if (typeof root === "string" && !exists(root))
      await rm(join(dir, name), { recursive: true, force: true }).catch(() => undefined);
  }
}

async function readPointer(folder: string): Promise<{ root?: unknown; file?: unknown } | undefined> {
  try {
    return JSON.parse(await readFile(join(folder, POINTER), "utf8")) ?? undefined;
  } catch {
    return undefined;
  }
}

async function sync(file: string): Promise<void> {
  const handle = await open(file, "r+");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
