import { isLoopback } from "../../http/peer.ts";
import { parseRule, type Rule } from "./rules.ts";

export const PROVIDERS = ["google", "github", "entra", "oidc"] as const;
export type ProviderKind = (typeof PROVIDERS)[number];

/** One identity provider, as the variable IDENTITY_PROVIDERS describes it. */
export interface ProviderSettings {
  readonly provider: ProviderKind;
  /** `client_id` of this server at the provider. */
  readonly client: string;
  /** Who may sign in. */
  readonly allow: readonly Rule[];
  /** Who of them may also allow the scope `ops`. */
  readonly ops: readonly Rule[];
  /** The issuer as its metadata spells it; GitHub's address. Without a slash at the end, unless the issuer has one. */
  readonly issuer: string;
  /** For the button. */
  readonly label: string;
  /** The claim with the groups (`oidc`). */
  readonly groupsClaim: string;
  /** More scopes to ask for (`oidc`). */
  readonly scopes: readonly string[];
  /** Origin of Microsoft Graph (`entra`). */
  readonly graph: string;
}

const FIELDS = ["client", "allow", "ops", "issuer", "tenant", "url", "label", "groups", "scopes"] as const;
type Fields = Partial<Record<(typeof FIELDS)[number], string>>;

const LABELS = { google: "Google", github: "GitHub", entra: "Microsoft", oidc: "single sign-on" } as const;
const GUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** Fields that belong to one provider alone. */
const OWN: Readonly<Record<ProviderKind, readonly (keyof Fields)[]>> = {
  google: [],
  github: ["url"],
  entra: ["tenant"],
  oidc: ["issuer", "label", "groups", "scopes"],
};

/**
 * `google client=ID allow=@example.com; github client=ID allow=group:acme,user:octocat ops=user:octocat`: entries are separated by
 * semicolons, and each provider is there once.
 *
 * @returns what is understood, and a message for each entry that is not; no message repeats a value
 */
export function parseProviders(text: string): {
  result: readonly ProviderSettings[];
  problems: readonly string[];
} {
  const result: ProviderSettings[] = [];
  const problems: string[] = [];
  const entries = text.split(";").map((entry) => entry.trim());
  for (const [n, entry] of entries.filter(Boolean).entries()) {
    const parsed = parseEntry(entry.split(/\s+/));
    if (typeof parsed === "string") problems.push(`entry ${n + 1} ${parsed}`);
    else if (result.some(({ provider }) => provider === parsed.provider))
      problems.push(`entry ${n + 1} names ${parsed.provider} a second time`);
    else result.push(parsed);
  }
  return { result, problems };
}

function parseEntry([name, ...words]: string[]): ProviderSettings | string {
  const provider = PROVIDERS.find((one) => one === name);
  if (!provider) return `does not begin with one of ${PROVIDERS.join(", ")}`;
  const fields: Fields = {};
  for (const word of words) {
    const field = FIELDS.find((one) => word.startsWith(`${one}=`));
    if (!field || fields[field] !== undefined)
      return `has a word that is not one of ${FIELDS.join("=, ")}=, or has one twice`;
    if (Object.values(OWN).flat().includes(field) && !OWN[provider].includes(field))
      return `has ${field}=, which ${provider} does not know`;
    fields[field] = word.slice(field.length + 1);
  }
  if (!fields.client) return "has no client=; write the client id that the provider gave this server";
  const issuer = issuerOf(provider, fields);
  if (typeof issuer !== "string") return issuer.problem;
  const allow = rulesOf(provider, fields.allow);
  const ops = rulesOf(provider, fields.ops);
  if (typeof allow === "string") return `has an allow= ${allow}`;
  if (typeof ops === "string") return `has an ops= ${ops}`;
  if (allow.length === 0)
    return "has no allow=; write who may sign in: ada@example.com, @example.com, group:NAME or user:NAME";
  return {
    provider,
    client: fields.client,
    allow,
    ops,
    issuer,
    label: fields.label?.replaceAll("_", " ") ?? LABELS[provider],
    groupsClaim: fields.groups ?? "groups",
    scopes: fields.scopes?.split(",").filter(Boolean) ?? [],
    graph: "https://graph.microsoft.com",
  };
}

function issuerOf(provider: ProviderKind, fields: Fields): string | { problem: string } {
  if (provider === "google") return "https://accounts.google.com";
  if (provider === "entra") {
    // The names `common` and `organizations` let in every tenant, whose administrators may claim any address.
    if (!GUID.test(fields.tenant ?? ""))
      return {
        problem: "has no tenant= with the directory (tenant) id, a GUID; names and common are refused",
      };
    return `https://login.microsoftonline.com/${fields.tenant?.toLowerCase()}/v2.0`;
  }
  if (provider === "github") return addressOf("url", fields.url ?? "https://github.com");
  if (!fields.issuer) return { problem: "has no issuer=; write the issuer of the OpenID provider" };
  return addressOf("issuer", fields.issuer);
}

function addressOf(field: string, text: string): string | { problem: string } {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const secure = url?.protocol === "https:" || (url?.protocol === "http:" && isLoopback(url.hostname));
  if (!url || !secure || url.username || url.password || url.search || url.hash)
    return { problem: `has ${field}= that is not an https URL without credentials and query` };
  return url.pathname === "/" && !text.endsWith("/") ? url.origin : url.href;
}

/** @returns what is wrong with them, to follow the name of the field */
function rulesOf(provider: ProviderKind, text = ""): Rule[] | string {
  const rules: Rule[] = [];
  for (const one of text.split(",").filter(Boolean)) {
    const rule = parseRule(one, provider === "github" || provider === "entra");
    if (!rule) return "with an entry that is not ada@example.com, @example.com, group:NAME, user:NAME or *";
    if (rule.kind === "everyone" && (provider === "google" || provider === "github"))
      return `with *, which would be everybody who has an account at ${LABELS[provider]}`;
    if (rule.kind === "group" && provider === "google")
      return "with a group, and Google tells no groups; name the domain or the addresses";
    rules.push(rule);
  }
  return rules;
}
