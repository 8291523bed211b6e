import * as z from "zod";
import * as type from "../types.ts";
import { variable } from "../variable.ts";

/** Access tokens of another issuer. */
export const jwt = z.object({
  issuer: variable("JWT_ISSUER", type.serviceUrl, {
    description:
      "For `AUTH_MODE=jwt`: the issuer of access tokens (RFC 9068), as its metadata and the tokens' `iss` spell it, but for a slash at the end.",
    example: "https://login.example.com",
  }),
  audience: variable("JWT_AUDIENCE", type.text("an audience"), {
    description: "The audience (`aud`) that these tokens must have.",
    example: "api://mcp-edge",
    unset: "this server's `/mcp`",
  }),
  untypedAllowed: variable("JWT_UNTYPED_ALLOWED", type.choice("yes", "no"), {
    description:
      "Accepts access tokens whose header has the type `JWT` or none, for issuers that do not set `at+jwt` (RFC 9068): Entra, Keycloak, Auth0's and Okta's default. ID tokens of such an issuer are still refused by their audience and claims.",
    default: "no",
  }),
  scopes: variable("JWT_SCOPES", type.scopeMap, {
    description:
      "What the issuer's scopes or roles stand for here: `theirs=ours`, separated by blanks. Ours: `code:read`, `ops`, `index:write`. Without it they have the same names.",
    default: "",
    example: "mcp.read=code:read mcp.admin=ops",
  }),
  clockSkew: variable("JWT_CLOCK_SKEW", type.wholeNumber(0, 300), {
    description: "By how much the issuer's clock and this one may differ.",
    default: "60",
    unit: "seconds",
  }),
});

/** Identity providers, and who may sign in with them. */
export const identity = z.object({
  providers: variable("IDENTITY_PROVIDERS", type.identityProviders, {
    description:
      "With what people sign in (`AUTH_MODE=oauth`): `google client=ID`, `github client=ID`, `entra tenant=GUID client=ID`, `oidc issuer=URL client=ID label=NAME`, each with `allow=` (who may) and, where wanted, `ops=` (who of them also gets the scope `ops`), separated by `;`. WHO: `ada@example.com`, `@example.com` (verified addresses), `group:NAME`, `user:NAME`; for `oidc` and `entra` also `*`. On a machine: the setting `identityProviders`.",
    default: "",
    example: "google client=123.apps.googleusercontent.com allow=@example.com",
  }),
  secretsFile: variable("IDENTITY_PROVIDER_SECRETS_FILE", type.absolutePath, {
    description:
      "File with a line `google=CLIENT_SECRET` for each of these. On a machine: a systemd credential, from the setting `identityProviderSecrets`.",
    example: "/etc/mcp-edge/identity-provider-secrets",
  }),
  localSignIn: variable("LOCAL_SIGN_IN", type.choice("yes", "no"), {
    description:
      "Whether people with a passkey or password of this server may sign in beside those of `IDENTITY_PROVIDERS`. `no` also ends the connections of such people, when their clients refresh.",
    default: "yes",
  }),
  checkMinutes: variable("IDENTITY_CHECK_MINUTES", type.wholeNumber(1, 1_440), {
    description:
      "How often a provider is asked whether a person is still there and still allowed: when a client refreshes its token, and not more often than this.",
    default: "60",
    unit: "minutes",
  }),
});
