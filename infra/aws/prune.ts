import { type Desired, wantedKeys } from "./desired.ts";

/**
 * How long a release that is no longer wanted stays: so that a machine in the middle of it can end, and people can look or go back.
 * Unwanted archives are deleted that long after their upload (below), and the older version stays as long again.
 */
export const EXPIRY_DAYS = 30;

/** An object of the bucket. */
export interface Archive {
  key: string;
  /** When it was uploaded. */
  at: Date;
}

/** What a client of the bucket must be able to do here. */
export interface Shelf {
  get<T>(key: string): Promise<T | undefined>;
  list(prefix: string): Promise<Archive[]>;
  /** Without a version: what is there becomes an older one. */
  remove(key: string): Promise<void>;
}

/** Where archives lie, by what they are. */
const ARCHIVE_PREFIXES = ["releases/", "files/", "workspaces/"];

/** Of each kind, whatever their age: the way back to the deployment before must find its archives. */
const NEWEST = 5;

/**
 * The archives that nobody needs any more. They are deleted without a version, so that each stays as an older version for another
 * 30 days (artifacts.ts). The engine does not delete them itself: the provider would delete every version, at once. Pure.
 * @param archives all of one prefix
 * @param now milliseconds since 1970
 */
export function outdated(archives: readonly Archive[], wanted: Desired, now: number): string[] {
  const keep = new Set(wantedKeys(wanted));
  const newestFirst = [...archives].sort((a, b) => b.at.getTime() - a.at.getTime());
  return newestFirst
    .slice(NEWEST)
    .filter(({ at }) => now - at.getTime() > EXPIRY_DAYS * 86_400_000)
    .map(({ key }) => key)
    .filter((key) => !keep.has(key));
}

/**
 * Take the outdated archives away, once every machine runs what is wanted. What cannot be taken away only costs room, so a refusal
 * is a warning.
 */
export async function prune(shelf: Shelf, log: (line: string) => void, now = Date.now()): Promise<void> {
  try {
    const wanted = await shelf.get<Desired>("desired.json");
    if (!wanted) return;
    for (const prefix of ARCHIVE_PREFIXES) {
      for (const key of outdated(await shelf.list(prefix), wanted, now)) {
        await shelf.remove(key);
        log(`${key}: not wanted for ${EXPIRY_DAYS} days; an older version of it stays as long again`);
      }
    }
  } catch (error) {
    log(`warning: old archives stay in the bucket: ${(error as Error).message}`);
  }
}
