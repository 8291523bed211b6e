import * as z from "zod";
import { hostName } from "../../cloud-init/settings.ts";
import { grant, grantsVariable } from "./grants.ts";
import {
  identityProviderSecrets,
  identityProviders,
  identityProvidersVariable,
} from "./identity-providers.ts";
import { jwt, jwtVariables } from "./jwt.ts";
import { oneOf, type SettingMeta, type Shape, setting } from "./meta.ts";

/** Settings of every target that say who may call, and who may see what. */
export const auth = {
  auth: setting(oneOf("oauth", "token", "jwt", "none"), "oauth", {
    description:
      "Who may call. `oauth`: people sign in and allow their clients (Claude.ai, ChatGPT and others); tokens work too, at `/mcp/token` for clients that ignore a pasted token where they find OAuth. `token`: only clients with a bearer token, which is stored hashed. `jwt`: clients with an access token of another issuer (`jwt`); tokens work too. `none`: anybody who reaches the machine.",
    // The settings have confirmed `none` (auth-checks.ts); the server wants it confirmed too.
    server: (mode) => ({ AUTH_MODE: mode, ...(mode === "none" ? { AUTH_NONE_ALLOWED: "yes" } : {}) }),
  }),
  jwt: jwt.optional().meta({
    description:
      "For `auth: jwt`: the `issuer` whose access tokens count; the `audience` that they must have; `scopes`, what the issuer's scopes or roles stand for here (`code:read`, `ops`); `clockSkew`, by how many seconds clocks may differ; `untypedAllowed` for an issuer that does not set the tokens' type `at+jwt` (Entra, Keycloak, the default of Auth0 and Okta). The machine reads the issuer's keys from the internet.",
    fallback: "none; the audience is the server's `/mcp`, scopes have the same names, `clockSkew` is 60",
    example: {
      issuer: "https://login.example.com",
      audience: "api://mcp-edge",
      scopes: { "mcp.read": "code:read" },
      clockSkew: 60,
      untypedAllowed: true,
    },
    server: jwtVariables,
  } satisfies SettingMeta),
  identityProviders: setting(identityProviders, [], {
    description:
      "With what people sign in, besides or instead of a passkey or password of this server: a list of `provider` (`google`, `github`, `entra`, `oidc`), `client` (the client id) and `allow` (who may: `ada@example.com`, `@example.com`, `group:NAME`, `user:NAME`), with `ops` (who of them also gets the scope `ops`), `tenant` for Entra, `url` for GitHub Enterprise Server, `issuer`, `label`, `groups` and `scopes` for any OpenID provider. Register the redirect URI `https://<domain>/sign-in/callback/<provider>` there.",
    fallback: "none",
    example: [{ provider: "google", client: "123.apps.googleusercontent.com", allow: ["@example.com"] }],
    server: (providers) => ({ IDENTITY_PROVIDERS: identityProvidersVariable(providers) }),
  }),
  identityProviderSecrets: identityProviderSecrets.optional().meta({
    description:
      "Client secrets of `identityProviders`, by provider. On the machine only root and the server can read them.",
    fallback: "none",
    example: { google: "…" },
    secret: true,
  } satisfies SettingMeta),
  localSignIn: setting(z.boolean("must be true or false"), true, {
    description:
      "Whether people with a passkey or password of this server may sign in beside those of `identityProviders`. `false` also ends their connections.",
    example: false,
    server: (local) => ({ LOCAL_SIGN_IN: local ? "" : "no" }),
  }),
  tokenDomain: setting(hostName, "", {
    description:
      "A second host name of the machine, which takes tokens only and shows no sign-in: for clients that find OAuth by the host and then ignore their token. It is in the certificate, so its records must lead to the machine too.",
    fallback: "none: such clients use `/mcp/token`",
    example: "token.mcp.example.com",
    server: "TOKEN_DOMAIN",
    edge: "TOKEN_DOMAIN",
  }),
  grants: setting(z.array(grant), [], {
    description:
      "Who may see what: a list of `who` (`user:LOGIN`, `group:GROUP`, `token:NAME` or `*`) with `scopes`, `repositories` and `tools`, names or patterns such as `app-*`; a list that is left out stands for all. A caller has what any entry gives, and no more than the token's scopes; without an entry, nothing.",
    fallback: "every caller sees what the token's scopes permit",
    example: [{ who: "group:dev", repositories: ["app-*"], tools: ["search_*", "read_file"] }],
    server: (grants) => ({ GRANTS: grantsVariable(grants) }),
  }),
} satisfies Shape;

/** More of them for a machine on a public address. */
export const publicAuth = {
  authNoneAllowed: setting(z.boolean("must be true or false"), false, {
    description: "Confirms `auth: none` for a machine on a public address: anybody may call the tools.",
    example: true,
  }),
} satisfies Shape;
