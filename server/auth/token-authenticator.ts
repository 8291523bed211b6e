import { stat } from "node:fs/promises";
import type { Authenticator, Principal, Verdict } from "./principal.ts";
import { Refusals } from "./refusals.ts";
import { hashToken, readTokens } from "./tokens-file.ts";

/** A known token's file is looked at again at most so often, milliseconds. */
const LOOK_AGAIN_MS = 1_000;

interface KnownToken {
  expiresAt: number;
  principal: Principal;
}

/**
 * Bearer tokens of the tokens file. The challenge names no resource metadata: clients that see OAuth advertised ignore the header
 * that their user configured.
 */
export class TokenAuthenticator implements Authenticator {
  readonly refusals = new Refusals();
  readonly #file: string;
  readonly #onProblem: (problem: Error) => void;
  readonly #read: typeof readTokens;
  /**
   * By sha256 (hex). A look-up by hash tells nothing by its time: who tries tokens does not choose their hashes, and its cost does not grow
   * with the number of tokens.
   */
  #tokens = new Map<string, KnownToken>();
  #stamp: string | undefined;
  /** Why the file could not be read the last time: reported once, however often it is tried. */
  #problem: string | undefined;
  #lookedAt = Number.NEGATIVE_INFINITY;
  #looking: Promise<void> | undefined;

  /** @param onProblem told when the file is broken; the tokens read before stay valid */
  constructor(file: string, onProblem: (problem: Error) => void, read = readTokens) {
    this.#file = file;
    this.#onProblem = onProblem;
    this.#read = read;
  }

  async authenticate(authorization: string | undefined, now = Date.now()): Promise<Verdict> {
    const token = /^Bearer +([\x21-\x7e]{1,512}) *$/i.exec(authorization ?? "")?.[1];
    if (token === undefined)
      return {
        challenge: "Bearer",
        reason: "A bearer token is needed: Authorization: Bearer mcp_...",
        ...(authorization?.trim() ? { guessed: true as const } : {}),
      };
    const hash = hashToken(token);
    if (now - this.#lookedAt >= LOOK_AGAIN_MS) await this.#look(now);
    let known = this.#tokens.get(hash);
    if (!known) {
      // Perhaps it was made a moment ago: look at once, for the price of one stat.
      await this.#look(now);
      known = this.#tokens.get(hash);
    }
    if (!known)
      return {
        challenge: invalid("unknown token"),
        reason: "The token is unknown or was revoked.",
        guessed: true,
      };
    if (known.expiresAt <= now)
      return { challenge: invalid("expired token"), reason: "The token has expired." };
    return { principal: known.principal };
  }

  async current({ id }: Pick<Principal, "id">, now = Date.now()): Promise<Principal | undefined> {
    if (now - this.#lookedAt >= LOOK_AGAIN_MS) await this.#look(now);
    for (const { expiresAt, principal } of this.#tokens.values())
      if (principal.id === id && expiresAt > now) return principal;
    return undefined;
  }

  /** @throws when the file is there and cannot be read */
  async check(): Promise<number> {
    return (await readTokens(this.#file)).length;
  }

  #look(now: number): Promise<void> {
    this.#looking ??= this.#reread(now).finally(() => {
      this.#looking = undefined;
    });
    return this.#looking;
  }

  async #reread(now: number): Promise<void> {
    this.#lookedAt = now;
    const stamp = await stat(this.#file).then(
      (s) => `${s.ino}/${s.mtimeMs}/${s.size}`,
      (error: NodeJS.ErrnoException) => error.code ?? "unreadable",
    );
    if (stamp === this.#stamp) return;
    try {
      const stored = await this.#read(this.#file);
      this.#tokens = new Map(
        stored.map(({ id, name, scopes, hash, expiresAt, quota }) => [
          hash.toLowerCase(),
          {
            expiresAt: expiresAt === null ? Number.POSITIVE_INFINITY : Date.parse(expiresAt),
            principal: { id, kind: "token", name, scopes, ...(quota === undefined ? {} : { quota }) },
          },
        ]),
      );
    } catch (error) {
      const { message } = error as Error;
      if (message !== this.#problem) this.#onProblem(error as Error);
      this.#problem = message;
      // The system may refuse for a moment (too many open files): the next look reads again, or a revoked token would stay valid.
      if ("code" in (error as Error)) return;
    }
    this.#stamp = stamp;
    this.#problem = undefined;
  }
}

function invalid(description: string): string {
  return `Bearer error="invalid_token", error_description="${description}"`;
}
