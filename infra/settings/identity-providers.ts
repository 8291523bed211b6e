import * as z from "zod";
import { text } from "./meta.ts";

/** The parameter beside the server's environment that mcp-edge-pull takes for the server's credential. */
export const PROVIDER_SECRETS_PARAMETER = "IDENTITY_PROVIDER_SECRETS";

const PROVIDERS = ["google", "github", "entra", "oidc"] as const;
type Provider = (typeof PROVIDERS)[number];

/** A part of the server's variable IDENTITY_PROVIDERS, where blanks, commas and semicolons separate. */
const word = (what: string) => text(/^[^\s,;='"\\$`\p{Cc}]{1,200}$/u, what);

const rules = z
  .array(
    text(
      /^(\*|(group|user):[^\s,;'"\\$`\p{Cc}]{1,200}|[^\s,;@'"\\$`\p{Cc}]{0,64}@[A-Za-z0-9.-]{1,190})$/u,
      "ada@example.com, @example.com, group:NAME, user:NAME or *",
    ),
    "must be a list",
  )
  .min(1, "must name somebody");

const url = text(
  /^https:\/\/[A-Za-z0-9.-]+(:\d{1,5})?(\/[A-Za-z0-9._~/-]*)?$/,
  "an https URL, such as https://login.example.com",
);

const common = {
  client: word("the client id that the provider gave this server"),
  allow: rules,
  ops: rules.optional(),
};

/** The setting `identityProviders`: one entry for each provider. */
export const identityProviders = z
  .array(
    z.discriminatedUnion(
      "provider",
      [
        z.strictObject({ provider: z.literal("google"), ...common }),
        z.strictObject({ provider: z.literal("github"), ...common, url: url.optional() }),
        z.strictObject({
          provider: z.literal("entra"),
          ...common,
          tenant: text(
            /^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$/,
            "the directory (tenant) id, a GUID",
          ),
        }),
        z.strictObject({
          provider: z.literal("oidc"),
          ...common,
          issuer: url,
          label: text(/^[^,;='"\\$`_\p{Cc}]{1,60}$/u, "the provider's name for the button").optional(),
          groups: word("the name of the claim with the groups").optional(),
          scopes: z.array(word("a scope"), "must be a list of scopes").optional(),
        }),
      ],
      `must be an object with provider (${PROVIDERS.join(", ")}), client and allow`,
    ),
  )
  .superRefine((all, context) => {
    const seen = new Set<Provider>();
    for (const [n, { provider, allow, ops = [] }] of all.entries()) {
      if (seen.has(provider))
        context.addIssue({
          code: "custom",
          path: [n, "provider"],
          message: `must not name ${provider} a second time`,
        });
      seen.add(provider);
      const isPublic = provider === "google" || provider === "github";
      if (isPublic && [...allow, ...ops].includes("*"))
        context.addIssue({
          code: "custom",
          path: [n, "allow"],
          message: `must not be *, which is everybody with an account at ${provider}`,
        });
      if (provider === "google" && [...allow, ...ops].some((rule) => rule.startsWith("group:")))
        context.addIssue({
          code: "custom",
          path: [n, "allow"],
          message: "must not name a group, since Google tells none",
        });
    }
  });

export type IdentityProviders = z.output<typeof identityProviders>;

/** Four of them fit into an SSM parameter of the standard tier, 4,096 bytes. */
const secret = text(/^(?!.*\{\{)[\x21-\x7e]{1,1000}$/, "the client secret, without blanks");

/** The setting `identityProviderSecrets`: client secrets by provider. */
export const identityProviderSecrets = z.strictObject(
  { google: secret.optional(), github: secret.optional(), entra: secret.optional(), oidc: secret.optional() },
  `must be an object of client secrets by provider (${PROVIDERS.join(", ")})`,
);

export type IdentityProviderSecrets = z.output<typeof identityProviderSecrets>;

/** The providers as the server's variable has them. */
export const identityProvidersVariable = (providers: IdentityProviders): string =>
  providers
    .map(({ provider, ...fields }) =>
      [
        provider,
        ...Object.entries(fields).flatMap(([name, value]) =>
          value === undefined
            ? []
            : [`${name}=${Array.isArray(value) ? value.join(",") : value.replaceAll(" ", "_")}`],
        ),
      ].join(" "),
    )
    .join("; ");

/** The file that the server reads as a systemd credential; "": no secrets. */
export const providerSecretsFile = (secrets: IdentityProviderSecrets = {}): string =>
  Object.entries(secrets)
    .flatMap(([provider, value]) => (value === undefined ? [] : [`${provider}=${value}\n`]))
    .join("");

/** A provider without a client secret; undefined: each has one. */
export const missingSecret = (
  providers: IdentityProviders,
  secrets: IdentityProviderSecrets = {},
): Provider | undefined => providers.find(({ provider }) => !secrets[provider])?.provider;

/** A client secret without its provider; undefined: there is none. */
export const unusedSecret = (
  providers: IdentityProviders,
  secrets: IdentityProviderSecrets = {},
): Provider | undefined =>
  PROVIDERS.find((provider) => secrets[provider] && !providers.some((one) => one.provider === provider));
