import { type Desired, wantedKeys } from "./desired.ts";

/**
 * How long a release that is no longer wanted is kept, so that a machine can finish installing it, and people can inspect it or roll back.
 * An unwanted archive is deleted this long after its upload (see below). Its noncurrent version is kept for the same time again.
 */
export const EXPIRY_DAYS = 30;

/** An object of the bucket. */
export interface Archive {
  key: string;
  /** When it was uploaded. */
  at: Date;
}

/** The operations on the bucket that are needed here. */
export interface Shelf {
  get<T>(key: string): Promise<T | undefined>;
  list(prefix: string): Promise<Archive[]>;
  /** Deletes without a version id, so the object becomes a noncurrent version. */
  remove(key: string): Promise<void>;
}

/** The prefixes of archives and of the history (history.ts), by kind. */
const ARCHIVE_PREFIXES = ["releases/", "files/", "workspaces/", "deployments/"];

/** How many archives of each kind are kept at any age, since a rollback to the previous deployment needs them. */
const NEWEST = 5;

/**
 * The archives that are no longer needed. They are deleted without a version id, so that each is kept as a noncurrent version for another
 * 30 days (artifacts.ts). The engine must not delete them: the provider would delete every version at once. Pure.
 * @param archives all archives with one prefix
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
 * Deletes the outdated archives once every machine runs the wanted release. An archive that cannot be deleted only costs storage, so a
 * refusal is a warning.
 */
export async function prune(shelf: Shelf, log: (line: string) => void, now = Date.now()): Promise<void> {
  try {
    const wanted = await shelf.get<Desired>("desired.json");
    if (!wanted) return;
    for (const prefix of ARCHIVE_PREFIXES) {
      for (const key of outdated(await shelf.list(prefix), wanted, now)) {
        await shelf.remove(key);
        log(
          `${key}: deleted, unused for ${EXPIRY_DAYS} days; its noncurrent version is kept for as long again`,
        );
      }
    }
  } catch (error) {
    log(`warning: old archives remain in the bucket: ${(error as Error).message}`);
  }
}
