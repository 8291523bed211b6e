import { lstatSync, type Stats } from "node:fs";

/** How far the time of a file may be behind the clock, milliseconds: the kernel uses the time of its last tick. */
export const CLOCK_MS = 20;
/** The same for a file system that stores whole seconds. */
const COARSE_MS = 2_000;

/** What is compared of each path: device, inode, mode, size, modification and change time. Zeros for a missing file. */
const NUMBERS = 6;

export interface Watched {
  /** Absolute paths whose entry, content or folder listing matters. Symbolic links are not followed. */
  readonly paths: readonly string[];
  /** Absolute paths of which only the identity matters: whether the same file or folder is there. */
  readonly identities?: readonly string[];
}

/**
 * The state of some files and folders. A changed file has another size or time, or is another inode; a folder has another time when an entry
 * is added, removed or replaced.
 *
 * The calls are synchronous: an asynchronous stat(2) costs ten times as much, and these few are on each request's path.
 */
export class Snapshot {
  readonly #watched: Watched;
  readonly #state: Float64Array;
  /** The latest change of any of the files, milliseconds since 1970, with the inaccuracy of its file system added. */
  readonly #latest: number;

  constructor(watched: Watched) {
    this.#watched = watched;
    this.#state = read(watched);
    this.#latest = latestChange(this.#state);
  }

  /** Number of files. */
  get size(): number {
    return this.#state.length / NUMBERS;
  }

  /** Whether nothing has changed since. */
  isCurrent(): boolean {
    const now = read(this.#watched);
    return now.every((value, n) => value === this.#state[n]);
  }

  /**
   * Whether each change after `since` would be noticed. A file that changed just before `since` may change again within the same tick of the
   * clock, with the same time.
   *
   * @param since milliseconds since 1970
   */
  isSettled(since: number): boolean {
    return this.#latest < since;
  }

  /** A text that is equal for equal states. */
  get key(): string {
    return this.#state.join(" ");
  }
}

function read({ paths, identities = [] }: Watched): Float64Array {
  const state = new Float64Array((paths.length + identities.length) * NUMBERS);
  let at = 0;
  for (const path of paths) {
    const found = statOf(path);
    if (found) state.set([found.dev, found.ino, found.mode, found.size, found.mtimeMs, found.ctimeMs], at);
    at += NUMBERS;
  }
  for (const path of identities) {
    const found = statOf(path);
    if (found) state.set([found.dev, found.ino, found.mode], at);
    at += NUMBERS;
  }
  return state;
}

function statOf(path: string): Stats | undefined {
  try {
    return lstatSync(path, { throwIfNoEntry: false });
  } catch {
    // A part of the path is a file, or may not be read.
    return undefined;
  }
}

function latestChange(state: Float64Array): number {
  let latest = 0;
  for (let at = NUMBERS - 1; at < state.length; at += NUMBERS) {
    const changed = state[at] ?? 0;
    latest = Math.max(latest, changed + (changed % 1_000 === 0 && changed > 0 ? COARSE_MS : CLOCK_MS));
  }
  return latest;
}
