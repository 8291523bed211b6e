import type { MaybePromise } from "../maybe-promise.ts";
import { bearerToken } from "./bearer.ts";
import type { OriginSource } from "./event-origin.ts";
import type { Authenticator, Principal, Scope, Verdict } from "./principal.ts";
import type { TokenAuthenticator } from "./token-authenticator.ts";

const STATIC = /^Bearer +mcp_/i;

/** Static tokens, which begin with `mcp_`, and beside them the access tokens of another authenticator, whose challenges clients see. */
export class TokenOr implements Authenticator {
  readonly refusals;
  readonly #tokens: TokenAuthenticator;
  readonly #other: Authenticator;

  constructor(tokens: TokenAuthenticator, other: Authenticator) {
    this.#tokens = tokens;
    this.#other = other;
    this.refusals = tokens.refusals;
  }

  authenticate(authorization: string | undefined, from?: OriginSource): MaybePromise<Verdict> {
    if (!STATIC.test(authorization ?? "") || bearerToken(authorization) === undefined)
      return this.#other.authenticate(authorization, from);
    return this.#authenticateStatic(authorization, from);
  }

  async #authenticateStatic(authorization: string | undefined, from?: OriginSource): Promise<Verdict> {
    const verdict = await this.#tokens.authenticate(authorization, from);
    if ("principal" in verdict) return verdict;
    // The challenge of the other: a client that can sign in finds out where.
    const other = await this.#other.authenticate(undefined);
    return "challenge" in other ? { ...verdict, challenge: other.challenge } : verdict;
  }

  current(principal: Principal): MaybePromise<Principal | undefined> {
    if (principal.kind === "token") return this.#tokens.current(principal);
    return this.#other.current ? this.#other.current(principal) : principal;
  }

  insufficientScope(scope: Scope): string {
    return this.#other.insufficientScope?.(scope) ?? this.#tokens.insufficientScope(scope);
  }
}
