import { chmod, mkdir, open } from "node:fs/promises";
import { join } from "node:path";
import { OAUTH_FILE, SqliteOAuthStore } from "./sqlite-oauth-store.ts";
import type { OAuthStore } from "./store.ts";
import { ValkeyOAuthStore } from "./valkey-oauth-store.ts";

export interface OAuthStoreSettings {
  /** A Valkey or Redis server; it takes precedence over the folder. */
  readonly storeUrl: string | undefined;
  /** Folder of the file; undefined: in memory on purpose, in development. */
  readonly sessionsDir: string | undefined;
}

/**
 * Opens the store that the configuration names. A folder that cannot be written is an error: clients would have to register, and people to
 * sign in, after every restart.
 *
 * @throws with the command that makes the folder usable
 */
export async function openOAuthStore({ storeUrl, sessionsDir }: OAuthStoreSettings): Promise<OAuthStore> {
  if (storeUrl !== undefined) return new ValkeyOAuthStore(storeUrl);
  if (sessionsDir === undefined) return new SqliteOAuthStore(":memory:");
  const file = join(sessionsDir, OAUTH_FILE);
  try {
    await mkdir(sessionsDir, { mode: 0o700 }).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "EEXIST") throw error;
    });
    // It holds the signing keys: SQLite would make it readable for others.
    await (await open(file, "a", 0o600)).close();
    await chmod(file, 0o600);
    return new SqliteOAuthStore(file);
  } catch (error) {
    throw new Error(
      `${file}: ${(error as Error).message}. The server's account must be able to write there: install -d -o mcp-edge -g mcp-edge -m 0700 ${sessionsDir}. A damaged file can be moved away: people sign in and clients register again`,
    );
  }
}
