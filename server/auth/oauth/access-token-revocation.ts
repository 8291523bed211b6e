import { createLocalJWKSet, type JWTPayload, jwtVerify } from "jose";
import type { Provider } from "oidc-provider";
import type { AuthEvents } from "../events.ts";
import { type KeySet, publicKeys, SIGNING_ALG } from "./keys.ts";
import type { OAuthStore } from "./store.ts";

export interface AccessTokenRevocationOptions {
  readonly keys: KeySet;
  readonly issuer: string;
  readonly store: OAuthStore;
  readonly events: AuthEvents;
}

/**
 * Lets clients revoke an access token alone (RFC 7009). oidc-provider authenticates the client and then refuses signed tokens, because it
 * does not store them. The store publishes the token's id as revoked until the token ends.
 */
export function revokeAccessTokens(provider: Provider, options: AccessTokenRevocationOptions): void {
  const { keys, issuer, store, events } = options;
  const keySet = createLocalJWKSet({ keys: publicKeys(keys) });
  provider.use(async (ctx, next) => {
    await next();
    const { oidc } = ctx;
    if (oidc?.route !== "revocation" || !oidc.client || ctx.body?.error !== "unsupported_token_type") return;
    // A token that is invalid, has ended or belongs to another client needs no error (RFC 7009, section 2.2).
    ctx.status = 200;
    ctx.body = "";
    const verify = { issuer, algorithms: [SIGNING_ALG], typ: "at+jwt", requiredClaims: ["jti", "exp"] };
    const claims: JWTPayload | undefined = await jwtVerify(String(oidc.params?.token), keySet, verify).then(
      ({ payload }) => payload,
      () => undefined,
    );
    if (claims === undefined || claims.client_id !== oidc.client.clientId) return;
    await store.revokeToken(String(claims.jti), Number(claims.exp) * 1_000);
    events.emit({
      type: "token.revoked",
      person: String(claims.sub),
      client: oidc.client.clientId,
      grant: String(claims.grant),
    });
  });
}
