import { createHash, randomBytes } from "node:crypto";
import { chmod, chown, mkdir, open, readFile, rename, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";
import * as z from "zod";
import { withLock } from "../lock.ts";
import { SCOPES } from "./principal.ts";

/** How long a command waits for another that changes the file, milliseconds. */
const LOCK_WAIT_MS = 5_000;

const StoredTokenSchema = z.object({
  id: z.string().min(1),
  name: z.string(),
  /** sha256 of the token, hex. The token has 256 random bits, so a slow hash would add nothing. */
  hash: z.string().regex(/^[0-9a-f]{64}$/),
  scopes: z.array(z.enum(SCOPES)),
  createdAt: z.iso.datetime(),
  expiresAt: z.iso.datetime().nullable(),
  /** Calls a day; missing: the server's default; 0: no limit. */
  quota: z.int().min(0).optional(),
});
const TokensFileSchema = z.object({ version: z.literal(1), tokens: z.array(StoredTokenSchema) });

export type StoredToken = z.output<typeof StoredTokenSchema>;

/** sha256 of a token, as it is kept. */
export function hashToken(token: string): string {
  return createHash("sha256").update(token).digest("hex");
}

/** A fresh token: `mcp_` (so that secret scanners can know it) and 256 random bits. */
export function newToken(): string {
  return `mcp_${randomBytes(32).toString("base64url")}`;
}

/**
 * The tokens in the file; none when there is no file.
 *
 * @throws when the file is there and cannot be read or is not what it should be
 */
export async function readTokens(file: string): Promise<StoredToken[]> {
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new Error(`${file} is not JSON. Move it away and create new tokens: token create --name NAME`);
  }
  const parsed = TokensFileSchema.safeParse(json);
  if (!parsed.success)
    throw new Error(
      `${file} is no tokens file of version 1 (${parsed.error.issues[0]?.path.join(".") || "top level"})`,
    );
  return parsed.data.tokens;
}

/**
 * Changes the file: read, change, write beside it, rename. A lock keeps two commands from losing each other's token.
 * Mode 0640 and the folder's group, so that root writes and the server's account reads.
 *
 * @throws when another command holds the lock for longer than five seconds
 */
export async function updateTokens<T>(
  file: string,
  change: (tokens: StoredToken[]) => { tokens: StoredToken[]; result: T },
): Promise<T> {
  const dir = dirname(file);
  await mkdir(dir, { recursive: true, mode: 0o750 });
  return withLock(`${file}.lock`, LOCK_WAIT_MS, async () => {
    const { tokens, result } = change(await readTokens(file));
    const fresh = `${file}.${process.pid}.tmp`;
    try {
      const handle = await open(fresh, "w", 0o640);
      try {
        await handle.writeFile(`${JSON.stringify({ version: 1, tokens }, null, 2)}\n`);
        await handle.sync();
      } finally {
        await handle.close();
      }
      await chmod(fresh, 0o640);
      // Not root: the file keeps our own group, which is right for a developer's own file.
      await chown(fresh, process.getuid?.() ?? -1, (await stat(dir)).gid).catch(() => undefined);
      await rename(fresh, file);
    } finally {
      await rm(fresh, { force: true });
    }
    return result;
  });
}
