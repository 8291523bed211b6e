import { stat } from "node:fs/promises";
import { BearerAnswers, bearerToken } from "./bearer.ts";
import type { OriginSource } from "./event-origin.ts";
import type { AuthEvents } from "./events.ts";
import type { Authenticator, Principal, Scope, Verdict } from "./principal.ts";
import { Refusals } from "./refusals.ts";
import { hashToken, readTokens } from "./tokens-file.ts";

/** The file of a known token is checked again at most this often, milliseconds. */
const CHECK_MS = 1_000;

interface KnownToken {
  expiresAt: number;
  principal: Principal;
}

export interface TokenAuthenticatorOptions {
  /** Receives the error when the file is broken. The tokens that were read before stay valid. */
  readonly onProblem: (problem: Error) => void;
  readonly events?: AuthEvents;
  readonly read?: typeof readTokens;
  readonly now?: () => number;
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
  readonly #now: () => number;
  readonly #answers: BearerAnswers;
  /**
   * By sha256 (hex). The time of a look-up by hash says nothing: a client that tries tokens does not choose their hashes, and the cost
   * does not grow with the number of tokens.
   */
  #tokens = new Map<string, KnownToken>();
  #fingerprint: string | undefined;
  /** Why the file could not be read the last time: reported once, however often it is tried. */
  #problem: string | undefined;
  #checkedAt = Number.NEGATIVE_INFINITY;
  #checking: Promise<void> | undefined;

  constructor(file: string, options: TokenAuthenticatorOptions) {
    const { onProblem, events, read = readTokens, now = Date.now } = options;
    this.#file = file;
    this.#onProblem = onProblem;
    this.#read = read;
    this.#now = now;
    this.#answers = new BearerAnswers({
      hint: "A bearer token is needed: Authorization: Bearer mcp_...",
      ...(events ? { events } : {}),
    });
  }

  async authenticate(authorization: string | undefined, from?: OriginSource): Promise<Verdict> {
    const token = bearerToken(authorization);
    if (token === undefined) return this.#answers.missing(authorization);
    const hash = hashToken(token);
    const now = this.#now();
    if (now - this.#checkedAt >= CHECK_MS) await this.#checkFile(now);
    let known = this.#tokens.get(hash);
    if (!known) {
      // It may have been made a moment ago. Checking at once costs one stat.
      await this.#checkFile(now);
      known = this.#tokens.get(hash);
    }
    if (!known) return this.#answers.invalid("the token is unknown or was revoked", { guessed: true, from });
    if (known.expiresAt <= now) return this.#answers.invalid("the token has expired", { from });
    return { principal: known.principal };
  }

  async current({ id }: Pick<Principal, "id">): Promise<Principal | undefined> {
    const now = this.#now();
    if (now - this.#checkedAt >= CHECK_MS) await this.#checkFile(now);
    for (const { expiresAt, principal } of this.#tokens.values())
      if (principal.id === id && expiresAt > now) return principal;
    return undefined;
  }

  insufficientScope(scope: Scope): string {
    return this.#answers.insufficientScope(scope);
  }

  /** @throws when the file is there and cannot be read */
  async check(): Promise<number> {
    return (await readTokens(this.#file)).length;
  }

  #checkFile(now: number): Promise<void> {
    this.#checking ??= this.#reread(now).finally(() => {
      this.#checking = undefined;
    });
    return this.#checking;
  }

  async #reread(now: number): Promise<void> {
    this.#checkedAt = now;
    const fingerprint = await stat(this.#file).then(
      (s) => `${s.ino}/${s.mtimeMs}/${s.size}`,
      (error: NodeJS.ErrnoException) => error.code ?? "unreadable",
    );
    if (fingerprint === this.#fingerprint) return;
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
      // The system may refuse for a moment (too many open files): the next check reads again, or a revoked token would stay valid.
      if ("code" in (error as Error)) return;
    }
    this.#fingerprint = fingerprint;
    this.#problem = undefined;
  }
}
