import { randomBytes } from "node:crypto";
import type { Handler } from "../../http3/servers/backend.ts";
import type { Issued } from "../../http3/servers/certificates.ts";
import { type Closable, type Routes, tls1Server } from "../fixture.ts";

/** A response that a fault may change before it is sent. */
export interface Draft {
  status: number;
  headers: Record<string, string>;
  body: unknown;
}

/** What the service received with a request. */
export interface Received {
  method: string;
  path: string;
  query: URLSearchParams;
  headers: Record<string, string | string[] | undefined>;
  body: string;
}

/** A fault: changes an answer of the service. */
export type Fault = (draft: Draft, received: Received) => void;

const WELL_KNOWN = "/.well-known/oauth-protected-resource";

/**
 * A small MCP server with sign-in that is correct unless `fault` changes an answer. It stands for hosts
 * on the internet and their faults. The project's own server is tested in test/server/auth.
 */
export async function service(certificate: Issued, fault: Fault = () => undefined): Promise<Closable> {
  const codes = new Set<string>();
  const refreshes = new Set<string>();
  let origin = "";
  const resource = () => `${origin}/mcp`;
  const cors = { "access-control-allow-origin": "*" };
  const json = (body: unknown, status = 200): Draft => ({
    status,
    headers: { "content-type": "application/json", ...cors },
    body,
  });
  const jwt = () => {
    const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
    return `${part({ alg: "ES256" })}.${part({ aud: resource() })}.${randomBytes(8).toString("base64url")}`;
  };
  const tokens = (): Draft => {
    const refresh = randomBytes(8).toString("hex");
    refreshes.add(refresh);
    const draft = json({
      access_token: jwt(),
      token_type: "Bearer",
      expires_in: 900,
      scope: "mcp",
      refresh_token: refresh,
    });
    draft.headers["cache-control"] = "no-store";
    return draft;
  };

  const metadata = () =>
    json({ resource: resource(), authorization_servers: [origin], scopes_supported: ["mcp"] });
  const answers: Record<string, (received: Received) => Draft> = {
    "/mcp": ({ method, headers, body }) => {
      if (method === "OPTIONS")
        return {
          status: 204,
          headers: {
            ...cors,
            "access-control-allow-headers":
              "authorization, content-type, mcp-protocol-version, mcp-session-id",
          },
          body: "",
        };
      if (headers.authorization === undefined) {
        const draft = json({ error: "no token" }, 401);
        draft.headers["www-authenticate"] =
          `Bearer resource_metadata="${origin}${WELL_KNOWN}/mcp", scope="mcp"`;
        return draft;
      }
      const { id, method: called } = JSON.parse(body) as { id: number; method: string };
      const results: Record<string, unknown> = {
        initialize: {
          protocolVersion: "2025-11-25",
          capabilities: {},
          serverInfo: { name: "fixture", version: "1" },
        },
        "tools/list": { tools: [{ name: "list_repos", inputSchema: { type: "object" } }] },
        "tools/call": { content: [{ type: "text", text: "[]" }] },
      };
      return json({ jsonrpc: "2.0", id, result: results[called] });
    },
    "/mcp/token": () => {
      const draft = json({ error: "no token" }, 401);
      draft.headers["www-authenticate"] = "Bearer";
      return draft;
    },
    [`${WELL_KNOWN}/mcp`]: metadata,
    [WELL_KNOWN]: metadata,
    "/.well-known/oauth-authorization-server": () =>
      json({
        issuer: origin,
        authorization_endpoint: `${origin}/authorize`,
        token_endpoint: `${origin}/token`,
        registration_endpoint: `${origin}/register`,
        code_challenge_methods_supported: ["S256"],
        token_endpoint_auth_methods_supported: [
          "none",
          "client_secret_post",
          "client_secret_basic",
          "private_key_jwt",
        ],
        grant_types_supported: ["authorization_code", "refresh_token"],
        client_id_metadata_document_supported: true,
        authorization_response_iss_parameter_supported: true,
      }),
    "/register": ({ method, body }) => {
      if (method === "OPTIONS")
        return {
          status: 204,
          headers: { ...cors, "access-control-allow-headers": "content-type" },
          body: "",
        };
      const wanted = JSON.parse(body) as Record<string, unknown>;
      const secret = wanted.token_endpoint_auth_method === "none" ? {} : { client_secret: "test-secret" };
      return json({ ...wanted, client_id: "test-client", ...secret }, 201);
    },
    "/authorize": ({ query, headers }) => {
      if (headers.cookie === undefined)
        return {
          status: 200,
          headers: { "content-type": "text/html" },
          body: "<form method=post>sign in</form>",
        };
      const form = `<form method=post action="/consent?${query}"><input type=hidden name=csrf value=1><button name=decision value=allow>Allow</button></form>`;
      return { status: 200, headers: { "content-type": "text/html" }, body: form };
    },
    "/link": () => ({
      status: 303,
      headers: { location: "/home", "set-cookie": "person=ada; Path=/" },
      body: "",
    }),
    "/home": () => ({ status: 200, headers: { "content-type": "text/html" }, body: "<p>hello" }),
    "/consent": ({ query, body }) => {
      if (new URLSearchParams(body).get("decision") !== "allow") return json({ error: "access_denied" }, 403);
      const code = randomBytes(8).toString("hex");
      codes.add(code);
      const to = new URL(query.get("redirect_uri") ?? "");
      to.search = new URLSearchParams({ code, state: query.get("state") ?? "", iss: origin }).toString();
      return { status: 303, headers: { location: to.href }, body: "" };
    },
    "/token": ({ method, body }) => {
      if (method === "OPTIONS")
        return {
          status: 204,
          headers: { ...cors, "access-control-allow-headers": "content-type" },
          body: "",
        };
      const form = new URLSearchParams(body);
      const known = form.get("client_id") ?? "basic";
      if (known === "mcp-edge-doctor-unknown") return json({ error: "invalid_client" }, 401);
      const good = codes.delete(form.get("code") ?? "") || refreshes.has(form.get("refresh_token") ?? "");
      return good ? tokens() : json({ error: "invalid_grant" }, 400);
    },
  };

  const handler: Handler = async (request, response) => {
    let body = "";
    for await (const part of request) body += part;
    const url = new URL(request.url ?? "/", "https://test");
    const received = {
      method: request.method ?? "GET",
      path: url.pathname,
      query: url.searchParams,
      headers: request.headers,
      body,
    };
    const draft = answers[url.pathname]?.(received) ?? json({ error: "not found" }, 404);
    fault(draft, received);
    response.writeHead(draft.status, draft.headers);
    response.end(typeof draft.body === "string" ? draft.body : JSON.stringify(draft.body));
  };
  const routes: Routes = { "*": handler };
  const server = await tls1Server(certificate, routes);
  origin = `https://edge.test:${server.port}`;
  return server;
}
