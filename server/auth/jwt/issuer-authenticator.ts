import { errors, type JWTPayload, jwtVerify } from "jose";
import type { MaybePromise } from "../../maybe-promise.ts";
import {
  BearerAnswers,
  bearerToken,
  type RefusedBearer,
  type VerifiedToken,
  VerifiedTokens,
} from "../bearer.ts";
import type { OriginSource } from "../event-origin.ts";
import { type AuthEvents, eventText } from "../events.ts";
import { type Authenticator, DEFAULT_SCOPE, type Principal, type Scope, type Verdict } from "../principal.ts";
import { Refusals } from "../refusals.ts";
import { IssuerKeys } from "./issuer-keys.ts";
import { mappedScopes, words } from "./scopes.ts";

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

/** Media type of an access token, without `application/` (RFC 9068, section 2.1). */
const ACCESS_TOKEN = "at+jwt";
const WRONG_TYPE = `the type (typ) of the token is not ${ACCESS_TOKEN}; JWT_UNTYPED_ALLOWED=yes accepts access tokens of issuers that do not set it`;

export interface IssuerAuthenticatorOptions {
  readonly issuer: URL;
  readonly audience: string;
  /** Whether a token's `typ` may be `JWT` or missing. Default: it must be `at+jwt` (RFC 9068, section 4). */
  readonly untypedAllowed?: boolean;
  /** Ours by theirs; empty: the same names. */
  readonly scopes: ReadonlyMap<string, Scope>;
  /** By how much clocks may differ, seconds. */
  readonly clockSkew: number;
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
  readonly #answers: BearerAnswers;
  readonly #verified = new VerifiedTokens();

  constructor(options: IssuerAuthenticatorOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
    this.#keys = new IssuerKeys(options.issuer);
    const { issuer, metadataUrl, events, scopes } = options;
    this.#answers = new BearerAnswers({
      hint: `An access token of ${issuer.host} is needed`,
      metadataUrl,
      events,
      ...(scopes.size === 0 ? { scope: DEFAULT_SCOPE } : {}),
    });
  }

  authenticate(authorization = "", from?: OriginSource): MaybePromise<Verdict> {
    const now = this.#now();
    const known = this.#verified.get(authorization, now);
    if (known) return { principal: known.principal };
    const token = bearerToken(authorization);
    if (token === undefined) return this.#answers.missing(authorization);
    return this.#verify(token, now, from).then((verified) => {
      if ("challenge" in verified) return verified;
      this.#verified.set(authorization, verified);
      return { principal: verified.principal };
    });
  }

  /** Whether the issuer has revoked it cannot be known: it stands until it ends. */
  async current(principal: Principal): Promise<Principal | undefined> {
    return (principal.expiresAt ?? 0) > this.#now() ? principal : undefined;
  }

  insufficientScope(scope: Scope): string {
    return this.#answers.insufficientScope(scope);
  }

  async #verify(
    token: string,
    now: number,
    from: OriginSource | undefined,
  ): Promise<VerifiedToken | RefusedBearer> {
    const { audience, scopes, clockSkew, untypedAllowed = false, onProblem } = this.#options;
    try {
      const { issuer, keys } = await this.#keys.get();
      const { payload, protectedHeader } = await jwtVerify(token, keys, {
        issuer,
        audience,
        algorithms: ALGORITHMS,
        ...(untypedAllowed ? {} : { typ: ACCESS_TOKEN }),
        requiredClaims: ["sub", "exp"],
        clockTolerance: clockSkew,
        currentDate: new Date(now),
      });
      if (untypedAllowed) refuseOtherTypes(protectedHeader.typ, payload);
      const expiresAt = (Number(payload.exp) + clockSkew) * 1_000;
      return { principal: principalOf(payload, mappedScopes(payload, scopes), expiresAt), expiresAt };
    } catch (error) {
      if (error instanceof errors.JWTExpired)
        return this.#answers.invalid("the access token has expired", { from });
      if (error instanceof errors.JWTClaimValidationFailed && error.claim === "typ")
        return this.#answers.invalid(WRONG_TYPE, { guessed: true, from });
      const wrong = error instanceof errors.JOSEError && !(error instanceof errors.JWKSTimeout);
      if (!wrong) onProblem(error as Error);
      const reason = wrong
        ? `the access token is invalid: ${eventText(error.message)}`
        : "the keys of the issuer cannot be read";
      return this.#answers.invalid(reason, { guessed: wrong, from });
    }
  }
}

/**
 * Of an issuer that does not set the type of its access tokens. What says that it is another kind of token (an ID token, OpenID Connect Core,
 * section 3.1.3.6; a logout token; a DPoP proof) is refused all the same.
 */
function refuseOtherTypes(typ: string | undefined, payload: JWTPayload): void {
  const type = (typ ?? "JWT").toLowerCase().replace(/^application\//, "");
  if (type !== "jwt" && type !== ACCESS_TOKEN) throw new errors.JWTInvalid(`its type (typ) is ${type}`);
  if (payload.typ === "ID" || "at_hash" in payload || "c_hash" in payload)
    throw new errors.JWTInvalid("it is an ID token; send the access token");
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
