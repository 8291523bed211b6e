import { Command } from "commander";
import { readTokenConfig } from "../config/config.ts";
import { loadKeys, rotateKeys } from "./oauth/keys.ts";
import { openOAuthStore } from "./oauth/open-oauth-store.ts";

/**
 * `keys …`: the keys with which the authorization server signs. Works on the store of a running server, which takes part within a second.
 *
 * @throws ConfigError when SESSIONS_DIR or STORE_URL is malformed
 */
export function keysCommand(env: NodeJS.ProcessEnv, write: (text: string) => void): Command {
  const settings = readTokenConfig(env);
  const command = new Command("keys")
    .description("List and rotate the keys that sign access tokens (AUTH_MODE=oauth).")
    .exitOverride();

  command
    .command("list")
    .description("List the key ids, the newest first: it signs.")
    .option("--json", "a JSON array instead of text")
    .action(async (options: { json?: true }) => {
      const store = await openOAuthStore(settings);
      try {
        const keys = (await loadKeys(store)).signing.map(({ jwk, createdAt, retiresAt }) => ({
          id: jwk.kid,
          createdAt: new Date(createdAt).toISOString(),
          retiresAt: retiresAt === undefined ? null : new Date(retiresAt).toISOString(),
        }));
        const line = (key: (typeof keys)[number]) =>
          `${key.id}  made ${key.createdAt}  ${key.retiresAt ? `verifies until ${key.retiresAt}` : "signs"}\n`;
        write(options.json ? `${JSON.stringify(keys)}\n` : keys.map(line).join(""));
      } finally {
        await store.close();
      }
    });

  command
    .command("rotate")
    .description("Create a new key. The old ones verify until what they signed has expired.")
    .option("--now", "for a key that others may know: the old ones verify nothing from now on")
    .option("--json", "one JSON object instead of text")
    .action(async (options: { now?: true; json?: true }) => {
      const store = await openOAuthStore(settings);
      const drop = options.now === true;
      try {
        const id = await rotateKeys(store, Date.now(), { drop });
        write(
          options.json
            ? `${JSON.stringify({ id })}\n`
            : `New signing key ${id}. ${drop ? "Clients refresh their tokens; browsers have to sign in again" : "Nobody has to sign in again"}.\n`,
        );
      } finally {
        await store.close();
      }
    });

  return command;
}
