import { createLocalJWKSet, decodeJwt, errors, type JWTVerifyGetKey, jwtVerify } from "jose";
import { type MaybePromise, then } from "../../maybe-promise.ts";
import {
  BearerAnswers,
  bearerToken,
  type RefusedBearer,
  type VerifiedToken,
  VerifiedTokens,
} from "../bearer.ts";
import type { OriginSource } from "../event-origin.ts";
import { type AuthEvents, eventText } from "../events.ts";
import type { People, Person } from "../people.ts";
import { PersonCache } from "../person-cache.ts";
import { type Authenticator, DEFAULT_SCOPE, type Principal, type Scope, type Verdict } from "../principal.ts";
import { Refusals } from "../refusals.ts";
import { type KeySet, publicKeys, SIGNING_ALG } from "./keys.ts";
import { resourceScopes } from "./resource.ts";

export interface OAuthAuthenticatorOptions {
  readonly issuer: string;
  readonly resource: string;
  /** URL of the protected-resource metadata (RFC 9728). */
  readonly metadataUrl: string;
  readonly keys: () => KeySet;
  /** @param id of a grant or an access token */
  readonly isRevoked: (id: string) => boolean;
  readonly people: People;
  readonly events: AuthEvents;
  readonly now?: () => number;
}

/**
 * Access tokens of this server's own OAuth (RFC 9068). They are verified here, without a request or a look into the store: known tokens cost
 * a hash and three look-ups.
 */
export class OAuthAuthenticator implements Authenticator {
  readonly refusals = new Refusals();
  readonly #options: OAuthAuthenticatorOptions;
  readonly #now: () => number;
  readonly #people: PersonCache;
  readonly #answers: BearerAnswers;
  readonly #verified = new VerifiedTokens();
  readonly #principals = new PersonPrincipals();
  #keys: KeySet | undefined;
  #keySet: ReturnType<typeof createLocalJWKSet> | undefined;

  constructor(options: OAuthAuthenticatorOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
    this.#people = new PersonCache(options.people, this.#now);
    const { metadataUrl, events } = options;
    this.#answers = new BearerAnswers({
      hint: "Sign in first: this server asks for an OAuth access token",
      metadataUrl,
      events,
      scope: DEFAULT_SCOPE,
    });
  }

  authenticate(authorization = "", from?: OriginSource): MaybePromise<Verdict> {
    const now = this.#now();
    const keys = this.#keysNow();
    const known = this.#verified.get(authorization, now);
    if (known) return this.#stillValid(known, from);
    const token = bearerToken(authorization);
    if (token === undefined) return this.#answers.missing(authorization);
    return this.#verify(token, keys, now, from).then((verified) => {
      if ("challenge" in verified) return verified;
      this.#verified.set(authorization, verified);
      return this.#stillValid(verified, from);
    });
  }

  #stillValid({ principal }: VerifiedToken, from: OriginSource | undefined): MaybePromise<Verdict> {
    return then(this.current(principal), (current) =>
      current ? { principal: current } : this.#answers.invalid("the access was revoked", { from }),
    );
  }

  /** The scopes are those of the token that the person still has. */
  current(principal: Principal): MaybePromise<Principal | undefined> {
    const { isRevoked } = this.#options;
    const { grant, tokenId } = principal;
    if (grant === undefined || tokenId === undefined || isRevoked(grant) || isRevoked(tokenId))
      return undefined;
    return then(
      this.#people.find(principal.id.slice(USER.length)),
      (person) => person && this.#principals.of(principal, person),
    );
  }

  insufficientScope(scope: Scope): string {
    return this.#answers.insufficientScope(scope);
  }

  async #verify(
    token: string,
    keys: JWTVerifyGetKey,
    now: number,
    from: OriginSource | undefined,
  ): Promise<VerifiedToken | RefusedBearer> {
    const { issuer, resource } = this.#options;
    try {
      const { payload } = await jwtVerify(token, keys, {
        issuer,
        audience: resource,
        algorithms: [SIGNING_ALG],
        typ: "at+jwt",
        requiredClaims: ["sub", "exp", "jti", "client_id", "grant"],
        clockTolerance: 5,
        currentDate: new Date(now),
      });
      // jose takes a list that has the resource among others; a token for several resources is none of ours.
      if (payload.aud !== resource) throw new Error("it is for another resource");
      const principal: Principal = {
        id: `${USER}${payload.sub}`,
        kind: "person",
        name: String(payload.sub),
        scopes: resourceScopes(payload.scope),
        client: String(payload.client_id),
        grant: String(payload.grant),
        tokenId: String(payload.jti),
      };
      return { principal, expiresAt: Number(payload.exp) * 1_000 };
    } catch (error) {
      if (hasExpired(token, now)) return this.#answers.invalid("the access token has expired", { from });
      // A key that was removed is no guess: after `keys rotate --now` every client of an office comes once with a token of it.
      const guessed = !(error instanceof errors.JWKSNoMatchingKey);
      const reason = `the access token is invalid: ${eventText((error as Error).message)}`;
      return this.#answers.invalid(reason, { guessed, from });
    }
  }

  /** Tokens that were verified by other keys are verified again. */
  #keysNow(): JWTVerifyGetKey {
    const keys = this.#options.keys();
    if (!this.#keySet || keys !== this.#keys) {
      this.#keys = keys;
      this.#verified.clear();
      this.#keySet = createLocalJWKSet({ keys: publicKeys(keys) });
    }
    return this.#keySet;
  }
}

const USER = "user:";

/** Principals with what their person is now. As long as neither changes, it is the same object. */
class PersonPrincipals {
  readonly #known = new WeakMap<Principal, { person: Person; principal: Principal }>();

  of(token: Principal, person: Person): Principal {
    const known = this.#known.get(token);
    if (known?.person === person) return known.principal;
    const { login, name, groups } = person;
    const scopes = token.scopes.filter((scope) => person.scopes.includes(scope));
    const principal = { ...token, login, name, groups, scopes };
    this.#known.set(token, { person, principal });
    return principal;
  }
}

/** According to the token itself. An expired token is no attack, whatever its signature. */
function hasExpired(token: string, now: number): boolean {
  try {
    const { exp } = decodeJwt(token);
    return exp !== undefined && exp * 1_000 <= now;
  } catch {
    return false;
  }
}
