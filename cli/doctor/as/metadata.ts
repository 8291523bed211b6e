import { CheckFailure } from "../check.ts";
import type { Attempt, ResourceMetadata, ServerMetadata } from "./attempt.ts";
import { jsonOf, type Reply } from "./http.ts";
import type { Step } from "./step.ts";

const stringsOf = (value: unknown): string[] | undefined =>
  Array.isArray(value) && value.every((one) => typeof one === "string") ? value : undefined;

async function readJson(attempt: Attempt, url: URL, signal: AbortSignal): Promise<Record<string, unknown>> {
  const reply = await attempt.send(url, {}, signal);
  if (reply.status !== 200) throw new CheckFailure(`${url} answers status ${reply.status} instead of 200`);
  assertCors(attempt, reply);
  return jsonOf(reply);
}

/** A client in a browser reads only what CORS lets it read. @throws CheckFailure where it may not */
export function assertCors(attempt: Attempt, reply: Reply): void {
  const { origin } = attempt.shape;
  if (origin === undefined) return;
  const allowed = reply.headers["access-control-allow-origin"];
  if (allowed === "*" || allowed === origin) return;
  throw new CheckFailure(
    `${reply.url.pathname} has ${allowed === undefined ? "no Access-Control-Allow-Origin" : `Access-Control-Allow-Origin: ${allowed}`}: the page at ${origin} may not read it`,
    `Send Access-Control-Allow-Origin: * at ${reply.url.pathname}`,
  );
}

/** RFC 9728, at the URL of the challenge and at both well-known paths. */
export const resourceMetadata: Step = {
  id: "resource-metadata",
  title: "Resource metadata",
  needs: ["challenge"],
  tried: (attempt) => `GET ${attempt.metadataUrl ?? "the resource metadata"} and the well-known paths`,
  async run(attempt, signal) {
    const { endpoint } = attempt;
    const wellKnown = "/.well-known/oauth-protected-resource";
    const named = attempt.metadataUrl ?? new URL(`${wellKnown}${endpoint.pathname}`, endpoint);
    const json = await readJson(attempt, named, signal);
    const resource = json.resource;
    if (typeof resource !== "string") throw new CheckFailure(`resource is missing in ${named}`);
    if (resource !== endpoint.href) {
      throw new CheckFailure(
        `resource is "${resource}", the endpoint is "${endpoint.href}": clients compare them exactly and refuse the rest`,
        `Set resource to "${endpoint.href}"`,
      );
    }
    const servers = stringsOf(json.authorization_servers);
    if (servers === undefined || servers.length === 0)
      throw new CheckFailure("authorization_servers is missing or empty");
    const insecure = servers.find((one) => !one.startsWith("https://"));
    if (insecure !== undefined)
      throw new CheckFailure(`authorization_servers holds "${insecure}": it must be an https URL`);
    const scopes = stringsOf(json.scopes_supported);
    if (scopes?.includes("offline_access")) {
      throw new CheckFailure(
        "scopes_supported holds offline_access: it is no scope of a resource, and clients then ask for it",
        "Remove offline_access from scopes_supported and issue refresh tokens without it",
      );
    }
    for (const path of [`${wellKnown}${endpoint.pathname}`, wellKnown]) {
      const url = new URL(path, endpoint);
      if (url.href === named.href) continue;
      const other = await readJson(attempt, url, signal);
      if (other.resource !== resource) {
        throw new CheckFailure(
          `${path} says resource "${other.resource}", ${named.pathname} says "${resource}": some clients read the one, some the other`,
          "Serve the same document at both paths",
        );
      }
    }
    attempt.resource = {
      resource,
      authorization_servers: servers,
      ...(scopes ? { scopes_supported: scopes } : {}),
    } satisfies ResourceMetadata;
    return `${resource}, signed in at ${servers[0]}`;
  },
  fix: "Serve RFC 9728 metadata at /.well-known/oauth-protected-resource/mcp and /.well-known/oauth-protected-resource",
};

/** Where the metadata of an issuer is looked for, in this order (RFC 8414 section 3.1, OpenID Connect Discovery). */
function metadataUrls(issuer: string): URL[] {
  const url = new URL(issuer);
  const path = url.pathname.replace(/\/$/, "");
  const paths = [
    `/.well-known/oauth-authorization-server${path}`,
    `/.well-known/openid-configuration${path}`,
    `${path}/.well-known/openid-configuration`,
  ];
  return [...new Set(paths)].map((one) => new URL(one, url));
}

/** RFC 8414. */
export const serverMetadata: Step = {
  id: "server-metadata",
  title: "Authorization server metadata",
  needs: ["resource-metadata"],
  tried: (attempt) => `GET the metadata of ${attempt.resource.authorization_servers[0]}`,
  async run(attempt, signal) {
    const issuer = attempt.resource.authorization_servers[0] ?? "";
    const urls = metadataUrls(issuer);
    let json: Record<string, unknown> | undefined;
    let first: unknown;
    for (const url of urls) {
      try {
        json = await readJson(attempt, url, signal);
        break;
      } catch (error) {
        first ??= error;
      }
    }
    if (json === undefined) throw first;
    attempt.server = checked(json, issuer, attempt);
    const { server } = attempt;
    return `PKCE S256, ${server.token_endpoint_auth_methods_supported?.join(", ") ?? "no methods listed"}`;
  },
  fix: "Serve RFC 8414 metadata at /.well-known/oauth-authorization-server",
};

function checked(json: Record<string, unknown>, issuer: string, attempt: Attempt): ServerMetadata {
  if (json.issuer !== issuer) {
    throw new CheckFailure(
      `issuer is "${json.issuer}", authorization_servers says "${issuer}": clients compare them exactly (RFC 8414 section 3.3)`,
      "Make both the same text, a slash at the end included",
    );
  }
  for (const name of ["authorization_endpoint", "token_endpoint"]) {
    const value = json[name];
    if (typeof value !== "string" || !value.startsWith("https://"))
      throw new CheckFailure(`${name} is ${JSON.stringify(value)}: it must be an https URL`);
  }
  const pkce = stringsOf(json.code_challenge_methods_supported);
  if (!pkce?.includes("S256")) {
    throw new CheckFailure(
      `code_challenge_methods_supported is ${JSON.stringify(pkce)}: without S256 the client stops here`,
      'Publish "code_challenge_methods_supported": ["S256"]',
    );
  }
  const methods = stringsOf(json.token_endpoint_auth_methods_supported);
  if (methods === undefined) {
    throw new CheckFailure(
      "token_endpoint_auth_methods_supported is missing, which means client_secret_basic alone (RFC 8414 section 2)",
      'Publish "token_endpoint_auth_methods_supported": ["none", "client_secret_post", "client_secret_basic", "private_key_jwt"]',
    );
  }
  const grants = stringsOf(json.grant_types_supported);
  if (grants !== undefined && !grants.includes("refresh_token")) {
    throw new CheckFailure(
      "grant_types_supported has no refresh_token: people must sign in again whenever the access token ends",
    );
  }
  assertRegistration(json, methods, attempt);
  return json as unknown as ServerMetadata;
}

/** The client must be able to register in one of its two ways, and in the way that it prefers. */
function assertRegistration(json: Record<string, unknown>, methods: string[], attempt: Attempt): void {
  const { document } = attempt.shape;
  const supported = json.client_id_metadata_document_supported === true;
  const dynamic = typeof json.registration_endpoint === "string";
  if (document !== undefined && supported && !document.methods.some((method) => methods.includes(method))) {
    throw new CheckFailure(
      `client_id_metadata_document_supported is true, but token_endpoint_auth_methods_supported lacks ${document.methods.join(" and ")}: the client silently registers dynamically instead`,
      `Add ${document.methods[0]} to token_endpoint_auth_methods_supported`,
    );
  }
  if (dynamic || (document !== undefined && supported)) return;
  throw new CheckFailure(
    document === undefined
      ? "registration_endpoint is missing, and this client knows no other way to register"
      : "neither registration_endpoint nor client_id_metadata_document_supported is there: the client cannot register",
  );
}
