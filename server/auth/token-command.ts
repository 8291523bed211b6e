import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { Command, InvalidArgumentError } from "commander";
import { readTokenConfig } from "../config/config.ts";
import { SCOPES, type Scope } from "./principal.ts";
import { hashToken, newToken, readTokens, type StoredToken, updateTokens } from "./tokens-file.ts";
import { dayOf } from "./usage.ts";
import { readUsage, type TokenUse, USAGE_FILE } from "./usage-store.ts";
import { ValkeyUsage } from "./valkey-usage.ts";

/** Ten years: longer is better said by leaving --ttl out. */
const MAX_TTL = 10 * 365 * 86_400;

function ttl(text: string): number {
  const seconds = Number(text);
  if (!/^\d+$/.test(text) || seconds < 1 || seconds > MAX_TTL)
    throw new InvalidArgumentError(
      `a whole number of seconds from 1 to ${MAX_TTL}, such as 2592000 (30 days)`,
    );
  return seconds;
}

function quota(text: string): number {
  if (!/^\d{1,9}$/.test(text))
    throw new InvalidArgumentError("a whole number of calls a day, such as 5000; 0: no limit");
  return Number(text);
}

function scopes(text: string): Scope[] {
  const named = [...new Set(text.split(",").map((s) => s.trim()))];
  const wrong = named.filter((s) => !SCOPES.includes(s as Scope));
  if (wrong.length)
    throw new InvalidArgumentError(`known scopes are ${SCOPES.join(", ")}; "${wrong.join(", ")}" is none`);
  return named as Scope[];
}

function tokenName(text: string): string {
  if (!/^[\w@.+ -]{1,64}$/.test(text))
    throw new InvalidArgumentError("1 to 64 letters, digits or @._+- characters");
  return text;
}

interface CreateOptions {
  name: string;
  ttl?: number;
  scopes: Scope[];
  quota?: number;
  json?: true;
}

type ShownToken = Omit<StoredToken, "hash"> & { lastUsedAt?: string; callsToday?: number };

/** What is shown of a token: all but its hash, and its use where a server has counted it. */
function shown({ hash: _, ...rest }: StoredToken, use?: TokenUse): ShownToken {
  return use
    ? { ...rest, lastUsedAt: new Date(use.lastUsedAt).toISOString(), callsToday: use.callsToday }
    : rest;
}

function table(tokens: ShownToken[]): string {
  if (tokens.length === 0) return "No tokens. Make one: token create --name laptop\n";
  return tokens
    .map((t) => {
      const calls = `${t.callsToday ?? 0}${t.quota ? ` of ${t.quota}` : ""} calls today`;
      return `${t.id}  ${t.name}  ${t.scopes.join(",")}  until ${t.expiresAt ?? "revoked"}  last used ${t.lastUsedAt ?? "never"}  ${calls}\n`;
    })
    .join("");
}

/**
 * `token create|list|revoke`, run as root on the machine with the server's own bundle. A running server sees the change within a second.
 *
 * @param write takes what goes to standard output; the token itself is in it once, at creation
 */
export function tokenCommand(env: NodeJS.ProcessEnv, write: (text: string) => void): Command {
  const { tokensFile: file, sessionsDir, storeUrl } = readTokenConfig(env);
  const usageFile = join(sessionsDir, USAGE_FILE);
  /** Counts that cannot be read are no reason not to see the tokens. */
  const usage = async () => {
    const valkey = storeUrl ? new ValkeyUsage(storeUrl) : undefined;
    const today = dayOf(Date.now());
    try {
      return (await valkey?.read(today)) ?? readUsage(usageFile, today);
    } catch (error) {
      const where = valkey?.name ?? usageFile;
      process.stderr.write(`The last use is not known: ${where}: ${(error as Error).message}\n`);
      return new Map<string, TokenUse>();
    } finally {
      await valkey?.close();
    }
  };
  const json = (value: unknown) => write(`${JSON.stringify(value)}\n`);
  const command = new Command("token").description(
    `Create, list and revoke the tokens in ${file} (TOKENS_FILE). Their use is in ${storeUrl ? "Valkey (STORE_URL)" : `${usageFile} (SESSIONS_DIR)`}.`,
  );

  command
    .command("create")
    .description("Create a token. It is shown once and stored hashed.")
    .requiredOption("--name <name>", "who or what uses it", tokenName)
    .option("--ttl <seconds>", "how long it is valid (default: until revoked)", ttl)
    .option("--scopes <list>", `comma-separated, of ${SCOPES.join(", ")}`, scopes, ["code:read"])
    .option("--quota <calls>", "maximum number of calls a day (default: the server's QUOTA_PER_DAY)", quota)
    .option("--json", "one JSON object instead of text")
    .action(async (options: CreateOptions) => {
      const token = newToken();
      const now = Date.now();
      const stored: StoredToken = {
        id: randomBytes(6).toString("hex"),
        name: options.name,
        hash: hashToken(token),
        scopes: options.scopes,
        createdAt: new Date(now).toISOString(),
        expiresAt: options.ttl === undefined ? null : new Date(now + options.ttl * 1_000).toISOString(),
        ...(options.quota === undefined ? {} : { quota: options.quota }),
      };
      await updateTokens(file, (tokens) => ({ tokens: [...tokens, stored], result: undefined }));
      if (options.json) json({ ...shown(stored), token });
      else
        write(`${token}\nShown this once. Its id is ${stored.id}; end it with: token revoke ${stored.id}\n`);
    });

  command
    .command("list")
    .description("List the tokens, without their secrets.")
    .option("--json", "a JSON array instead of text")
    .action(async (options: { json?: true }) => {
      const stored = await readTokens(file);
      const use = await usage();
      const tokens = stored.map((token) => shown(token, use.get(token.id)));
      if (options.json) json(tokens);
      else write(table(tokens));
    });

  command
    .command("revoke <id>")
    .description("Revoke a token. It stops working within a second.")
    .option("--json", "one JSON object instead of text")
    .action(async (id: string, options: { json?: true }) => {
      await updateTokens(file, (tokens) => {
        if (!tokens.some((t) => t.id === id))
          throw new Error(`There is no token ${id} in ${file}; see: token list`);
        return { tokens: tokens.filter((t) => t.id !== id), result: undefined };
      });
      if (options.json) json({ id, revoked: true });
      else write(`Revoked ${id}.\n`);
    });

  return command;
}
