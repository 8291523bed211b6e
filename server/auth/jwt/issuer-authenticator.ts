import { errors, type JWTPayload, jwtVerify } from "jose";
import { bearerChallenge, bearerToken, type VerifiedToken, VerifiedTokens } from "../bearer.ts";
import { type AuthEvents, eventText } from "../events.ts";
import { type Authenticator, DEFAULT_SCOPE, type Principal, type Scope, type Verdict } from "../principal.ts";
import { Refusals } from "../refusals.ts";
import { IssuerKeys } from "./issuer-keys.ts";
import { mappedScopes, words } from "./scopes.ts";

/** Clocks may differ so much, seconds. */
const CLOCK_SKEW = 60;
/** Only signatures with a public key: never `none`, never a shared secret. */
const ALGORITHMS = [
  "RS256",
  "RS384",
  "RS512",
  "PS256",
  "PS384",
  "PS512",
  "ES256",
  "ES384",
  "ES512",
  "EdDSA",
  "Ed25519",
];

export interface IssuerAuthenticatorOptions {
  readonly issuer: URL;
  readonly audience: string;
  /** Ours by theirs; empty: the same names. */
  readonly scopes: ReadonlyMap<string, Scope>;
  /** URL of the protected-resource metadata (RFC 9728). */
  readonly metadataUrl: string;
  readonly events: AuthEvents;
  readonly onProblem: (problem: Error) => void;
  readonly now?: () => number;
}

/** Access tokens of another issuer (RFC 9068, and what is common before it), verified with the issuer's published keys. */
export class IssuerAuthenticator implements Authenticator {
  readonly refusals = new Refusals();
  readonly #options: IssuerAuthenticatorOptions;
  readonly #now: () => number;
  readonly #keys: IssuerKeys;
  readonly #verified = new VerifiedTokens();

  constructor(options: IssuerAuthenticatorOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
    this.#keys = new IssuerKeys(options.issuer);
  }

  async authenticate(authorization: string | undefined): Promise<Verdict> {
    const token = bearerToken(authorization);
    if (token === undefined)
      return {
        challenge: this.#challenge(),
        reason: `An access token of ${this.#options.issuer.host} is needed`,
        ...(authorization?.trim() ? { guessed: true as const } : {}),
      };
    const now = this.#now();
    const known = this.#verified.get(token, now) ?? (await this.#verify(token, now));
    return "challenge" in known ? known : { principal: known.principal };
  }

  /** Whether the issuer has revoked it cannot be known: it stands until it ends. */
  async current(principal: Principal): Promise<Principal | undefined> {
    return (principal.expiresAt ?? 0) > this.#now() ? principal : undefined;
  }

  insufficientScope(scope: Scope): string {
    return bearerChallenge({
      error: "insufficient_scope",
      scope,
      resource_metadata: this.#options.metadataUrl,
    });
  }

  async #verify(token: string, now: number): Promise<VerifiedToken | (Verdict & { challenge: string })> {
    const { audience, scopes, onProblem } = this.#options;
    try {
      const { issuer, keys } = await this.#keys.get();
      const { payload } = await jwtVerify(token, keys, {
        issuer,
        audience,
        algorithms: ALGORITHMS,
        requiredClaims: ["sub", "exp"],
        clockTolerance: CLOCK_SKEW,
        currentDate: new Date(now),
      });
      const expiresAt = (Number(payload.exp) + CLOCK_SKEW) * 1_000;
      const verified = {
        principal: principalOf(payload, mappedScopes(payload, scopes), expiresAt),
        expiresAt,
      };
      this.#verified.set(token, verified);
      return verified;
    } catch (error) {
      if (error instanceof errors.JWTExpired) return this.#refuse("the access token has expired");
      const wrong = error instanceof errors.JOSEError && !(error instanceof errors.JWKSTimeout);
      if (!wrong) onProblem(error as Error);
      const reason = wrong
        ? `the access token is invalid: ${eventText(error.message)}`
        : "the keys of the issuer cannot be read";
      return { ...this.#refuse(reason), ...(wrong ? { guessed: true as const } : {}) };
    }
  }

  #refuse(reason: string) {
    this.#options.events.emit({ type: "bearer.refused", reason });
    return { challenge: this.#challenge("invalid_token", reason), reason };
  }

  #challenge(error?: string, description?: string): string {
    return bearerChallenge({
      error,
      error_description: description,
      resource_metadata: this.#options.metadataUrl,
      ...(this.#options.scopes.size === 0 ? { scope: DEFAULT_SCOPE } : {}),
    });
  }
}

function principalOf(payload: JWTPayload, scopes: Scope[], expiresAt: number): Principal {
  const name = payload.preferred_username ?? payload.email ?? payload.name ?? payload.sub;
  const client = payload.client_id ?? payload.azp ?? payload.cid ?? payload.appid;
  return {
    id: `sub:${payload.sub}`,
    kind: "issuer",
    name: eventText(name),
    scopes,
    groups: words(payload.groups),
    ...(typeof client === "string" ? { client: eventText(client) } : {}),
    expiresAt,
  };
}
