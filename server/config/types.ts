import * as z from "zod";
import { SCOPES, type Scope } from "../auth/principal.ts";
import { parseProviders } from "../auth/upstream/settings.ts";
import { parseGrants } from "../grants/parse-grants.ts";
import { parseOriginRule } from "../http/origins.ts";
import { parseStoreUrl } from "../store/valkey-url.ts";
import { parseCredentials, parseRemotes } from "../workspace/sync/settings.ts";

/** The types of variables: each is a schema from text, whose `.meta()` says what it takes. None repeats a value in a message. */

export const text = (type: string) => z.string().meta({ type });

export const wholeNumber = (min: number, max: number) =>
  z
    .string()
    .regex(/^\d{1,9}$/)
    .transform(Number)
    .pipe(z.number().min(min).max(max))
    .meta({ type: `a whole number from ${min} to ${max}`, printable: true });

/** @returns bytes */
export const mebibytes = (max: number, min = 0) =>
  wholeNumber(min, max)
    .transform((n) => n * 1024 * 1024)
    .meta({ type: `a whole number from ${min} to ${max}`, printable: true });

export const choice = <const T extends readonly string[]>(...values: T) =>
  z.enum(values).meta({ type: `one of ${values.join(", ")}`, printable: true });

export const absolutePath = z.string().startsWith("/").meta({ type: "an absolute path" });

/** sockaddr_un holds 108 bytes with the terminating zero (unix(7)). */
export const socketPath = z
  .string()
  .startsWith("/")
  .max(107)
  .meta({ type: "an absolute path of at most 107 bytes (the limit of a unix socket)" });

const httpUrl = (accept: (url: URL) => boolean) =>
  z.string().transform((value, ctx) => {
    const url = URL.canParse(value) ? new URL(value) : undefined;
    if (url && /^https?:$/.test(url.protocol) && !url.username && !url.password && accept(url)) return url;
    ctx.addIssue({ code: "invalid_format", format: "url", input: value });
    return z.NEVER;
  });

export const origin = httpUrl((url) => url.pathname === "/" && !url.search).meta({
  type: "an origin: scheme, host and port",
});

export const serviceUrl = httpUrl(() => true).meta({ type: "an http or https URL without credentials" });

/** `true` unless the parser throws or returns problems; these are the messages. */
function parsedBy<T>(type: string, parse: (value: string) => { result: T; problems: readonly string[] }) {
  return z
    .string()
    .transform((value, ctx) => {
      const { result, problems } = parse(value);
      for (const message of problems) ctx.addIssue({ code: "custom", message });
      return result;
    })
    .meta({ type });
}

export const originRules = parsedBy("origins, separated by blanks or commas", (value) => {
  const result = value.split(/[\s,]+/).filter(Boolean);
  const problems = result.flatMap((entry, n) =>
    parseOriginRule(entry)
      ? []
      : `entry ${n + 1} is not an origin; write https://chat.example.com, https://*.example.com or vscode-webview://*`,
  );
  return { result, problems };
});

export const remotes = parsedBy("remotes, separated by blanks or commas", (value) => {
  const { remotes, problems } = parseRemotes(value);
  return { result: remotes, problems };
});

export const credentials = parsedBy("credentials, separated by blanks", (value) => {
  const { credentials, problems } = parseCredentials(value);
  return { result: credentials, problems };
});

export const grants = parsedBy("grants, separated by semicolons", parseGrants);

export const identityProviders = parsedBy("identity providers, separated by semicolons", parseProviders);

export const storeUrl = parsedBy("the URL of a Valkey or Redis server", (value) => {
  try {
    parseStoreUrl(value);
    return { result: value, problems: [] };
  } catch (error) {
    return { result: value, problems: [(error as Error).message] };
  }
});

export const hostName = z
  .string()
  .regex(/^(?=.{1,253}$)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+$/)
  .meta({ type: "a host name in lower case" });

/** `theirs=ours` pairs -> ours by theirs. */
export const scopeMap = parsedBy("pairs of scopes, separated by blanks or commas", (value) => {
  const result = new Map<string, Scope>();
  const problems: string[] = [];
  for (const [n, pair] of value
    .split(/[\s,]+/)
    .filter(Boolean)
    .entries()) {
    const at = pair.lastIndexOf("=");
    const scope = SCOPES.find((one) => one === pair.slice(at + 1));
    if (at > 0 && scope) result.set(pair.slice(0, at), scope);
    else problems.push(`entry ${n + 1} is not theirs=ours; ours is one of ${SCOPES.join(", ")}`);
  }
  return { result: result as ReadonlyMap<string, Scope>, problems };
});
