import { mkdir, rename } from "node:fs/promises";
import { join } from "node:path";
import type { Capabilities } from "../capabilities/registry.ts";
import { SqliteStore } from "./sqlite-store.ts";
import type { Store } from "./store.ts";
import { ValkeyStore } from "./valkey-store.ts";

/** The store's file in SESSIONS_DIR. */
export const STORE_FILE = "sessions.db";

export interface StoreSettings {
  /** A Valkey or Redis server (see valkey-url.ts). Takes precedence over the folder. */
  readonly storeUrl?: string | undefined;
  /** Folder of the file; undefined keeps everything in memory. */
  readonly sessionsDir: string | undefined;
}

/** The capability's name: sessions that survive the process. */
export const DURABLE_SESSIONS = "durable-sessions";

/**
 * Opens the store that the configuration names. If the folder is not writable, the server starts nevertheless: sessions are kept in
 * memory, and the capability names the reason.
 *
 * @param warn receives a message when the folder is unusable, a damaged file was set aside, or the connection broke
 */
export async function openStore(
  { storeUrl, sessionsDir }: StoreSettings,
  capabilities: Capabilities,
  warn: (message: string) => void,
): Promise<Store> {
  const setDurable = (durable: boolean, why: string) => capabilities.set(DURABLE_SESSIONS, durable, why);
  if (storeUrl !== undefined) {
    const store = new ValkeyStore(storeUrl, warn);
    setDurable(true, store.name);
    return store;
  }
  if (sessionsDir === undefined) {
    setDurable(false, "neither SESSIONS_DIR nor STORE_URL is set: sessions end with the process");
    return new SqliteStore(":memory:");
  }
  try {
    const store = await openFile(sessionsDir, warn);
    setDurable(true, store.name);
    return store;
  } catch (error) {
    const why = `SESSIONS_DIR=${sessionsDir}: ${(error as Error).message}; the server's account must be able to write there: install -d -o mcp-edge -g mcp-edge -m 0700 ${sessionsDir}`;
    setDurable(false, why);
    warn(why);
    return new SqliteStore(":memory:");
  }
}

async function openFile(dir: string, warn: (message: string) => void): Promise<Store> {
  await mkdir(dir, { mode: 0o700 }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "EEXIST") throw error;
  });
  const file = join(dir, STORE_FILE);
  try {
    return new SqliteStore(file);
  } catch (error) {
    if (!isDamaged(error)) throw error;
  }
  const aside = `${file}.damaged-${Date.now()}`;
  await rename(file, aside);
  for (const suffix of ["-wal", "-shm"]) await rename(file + suffix, aside + suffix).catch(() => undefined);
  warn(`${file} is not a valid SQLite database; it was set aside as ${aside} and replaced by a new one`);
  return new SqliteStore(file);
}

/** SQLITE_CORRUPT or SQLITE_NOTADB (sqlite.org/rescode.html). */
function isDamaged(error: unknown): boolean {
  const code = (error as { errcode?: number }).errcode;
  return code !== undefined && [11, 26].includes(code & 0xff);
}
