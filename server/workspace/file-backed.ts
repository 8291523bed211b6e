import { asServer } from "../shares/caller.ts";
import { type ByteCache, repositoryCache } from "./byte-cache.ts";
import type { Snapshot } from "./snapshot.ts";
import { afterInput, currentTurn } from "./turn.ts";

/** Up to this number of files they are checked at each use; that takes about two milliseconds. */
const CHEAP_FILES = 1_000;
/** How long a check of more files is valid, milliseconds a file: ten times as long as it takes. */
const MS_PER_FILE = 0.02;

export interface Made<T> {
  readonly value: T;
  /** The files that the value depends on. */
  readonly snapshot: Snapshot;
  /** An estimate of the memory that the value takes, bytes. */
  readonly bytes: number;
}

interface Kept<T> {
  readonly made: Made<T>;
  /** See currentTurn. */
  checkedTurn: number;
  /** On the clock of `performance.now()`. */
  nextCheck: number;
}

/**
 * A value that is made from files, and made again when they have changed.
 *
 * They are checked at each use, so the value is as new as the call. Calls that arrive together share a check, which begins after the last of
 * them. If there are more than a thousand files, the value may be older: by a fiftieth of a millisecond for each of them.
 */
export class FileBacked<T> {
  readonly #make: () => Promise<Made<T>>;
  readonly #cache: ByteCache;
  #making: Promise<T> | undefined;
  #checking: Promise<boolean> | undefined;

  /** @param make reads the files; runs on behalf of the server, since many callers share the value */
  constructor(make: () => Promise<Made<T>>, cache: ByteCache = repositoryCache) {
    this.#make = make;
    this.#cache = cache;
  }

  async get(signal?: AbortSignal): Promise<T> {
    for (;;) {
      signal?.throwIfAborted();
      const kept = this.#cache.get<Kept<T>>(this);
      if (kept && (wasChecked(kept) || (await this.#check(kept)))) return kept.made.value;
      if (!this.#making) break;
      // It may have read the files before this call: the next round checks that.
      await this.#making.catch(() => undefined);
    }
    this.#making = asServer(() => this.#remake());
    try {
      return await this.#making;
    } finally {
      this.#making = undefined;
    }
  }

  #check(kept: Kept<T>): Promise<boolean> {
    this.#checking ??= afterInput().then(() => {
      this.#checking = undefined;
      return isCurrent(kept);
    });
    return this.#checking;
  }

  async #remake(): Promise<T> {
    this.#cache.delete(this);
    const since = Date.now();
    const made = await this.#make();
    const kept: Kept<T> = { made, checkedTurn: -1, nextCheck: 0 };
    // Otherwise a change could go unnoticed, and the next call makes the value again.
    if (made.snapshot.isSettled(since)) this.#cache.set(this, kept, made.bytes);
    return made.value;
  }
}

const wasChecked = ({ checkedTurn, nextCheck }: Kept<unknown>) =>
  checkedTurn === currentTurn() || performance.now() < nextCheck;

function isCurrent(kept: Kept<unknown>): boolean {
  const { snapshot } = kept.made;
  if (!snapshot.isCurrent()) return false;
  kept.checkedTurn = currentTurn();
  if (snapshot.size > CHEAP_FILES) kept.nextCheck = performance.now() + snapshot.size * MS_PER_FILE;
  return true;
}
