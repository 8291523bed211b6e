import { mkdir, rename } from "node:fs/promises";
import { join } from "node:path";
import { SqliteStore } from "./sqlite-store.ts";
import type { Store } from "./store.ts";
import { ValkeyStore } from "./valkey-store.ts";

/** The store's file in SESSIONS_DIR. */
export const STORE_FILE = "sessions.db";

export interface StoreSettings {
  /** A Valkey or Redis server (see valkey-url.ts); it goes before the folder. */
  readonly storeUrl?: string | undefined;
  /** Folder of the file; undefined keeps everything in memory. */
  readonly sessionsDir: string | undefined;
}

/**
 * Opens the store that the configuration names.
 *
 * @param warn told when a damaged file was put aside (its sessions are lost, the server is not), or the connection broke
 * @throws with the command that mends it when the folder cannot be used
 */
export async function openStore(
  { storeUrl, sessionsDir }: StoreSettings,
  warn: (message: string) => void,
): Promise<Store> {
  if (storeUrl !== undefined) return new ValkeyStore(storeUrl, warn);
  if (sessionsDir === undefined) return new SqliteStore(":memory:");
  const file = join(sessionsDir, STORE_FILE);
  try {
    await mkdir(sessionsDir, { mode: 0o700 }).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "EEXIST") throw error;
    });
    return new SqliteStore(file);
  } catch (error) {
    if (!isDamaged(error))
      throw new Error(
        `SESSIONS_DIR=${sessionsDir}: ${(error as Error).message}; the server's account must be able to write there: install -d -o mcp-edge -g mcp-edge -m 0700 ${sessionsDir}`,
      );
  }
  const aside = `${file}.damaged-${Date.now()}`;
  await rename(file, aside);
  for (const suffix of ["-wal", "-shm"]) await rename(file + suffix, aside + suffix).catch(() => undefined);
  warn(`${file} is no sound SQLite database; it was put aside as ${aside} and a new one begun`);
  return new SqliteStore(file);
}

/** SQLITE_CORRUPT or SQLITE_NOTADB (sqlite.org/rescode.html). */
function isDamaged(error: unknown): boolean {
  const code = (error as { errcode?: number }).errcode;
  return code !== undefined && [11, 26].includes(code & 0xff);
}
