import { afterAll, beforeAll, expect, test } from "@jest/globals";
import {
  Client as ClientV2,
  StreamableHTTPClientTransport as TransportV2,
} from "@modelcontextprotocol/client";
import { Client as ClientV1 } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport as TransportV1 } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { allow, Browser, type RunningOAuth, register, startOAuth } from "./support.ts";

const DOCUMENT = "https://client.example.com/client.json";
const LOOPBACK = "http://127.0.0.1:45678/callback";

let running: RunningOAuth;
beforeAll(async () => {
  const body = { client_id: DOCUMENT, client_name: "SDK", redirect_uris: ["http://127.0.0.1/callback"] };
  running = await startOAuth({ fetch: async () => Response.json(body) });
});
afterAll(() => running.app.close());

/** What an MCP client keeps about one server, in memory. */
class Provider {
  readonly redirectUrl = LOOPBACK;
  readonly clientMetadataUrl: string | undefined;
  readonly clientMetadata = {
    client_name: "SDK",
    redirect_uris: [LOOPBACK],
    token_endpoint_auth_method: "none",
  };
  authorizationUrl: URL | undefined;
  readonly #kept = new Map<string, unknown>();
  constructor(document?: string) {
    this.clientMetadataUrl = document;
  }
  #get = (name: string) => this.#kept.get(name) as never;
  state = () => "state";
  clientInformation = () => this.#get("client");
  saveClientInformation = (client: unknown) => void this.#kept.set("client", client);
  tokens = () => this.#get("tokens");
  saveTokens = (tokens: unknown) => void this.#kept.set("tokens", tokens);
  codeVerifier = () => this.#get("verifier");
  saveCodeVerifier = (verifier: unknown) => void this.#kept.set("verifier", verifier);
  discoveryState = () => this.#get("discovery");
  saveDiscoveryState = (state: unknown) => void this.#kept.set("discovery", state);
  redirectToAuthorization = (url: URL) => {
    this.authorizationUrl = url;
  };
}

test.each([
  ["v1", "registration", undefined],
  ["v1", "a metadata document", DOCUMENT],
  ["v2", "registration", undefined],
  ["v2", "a metadata document", DOCUMENT],
])("the %s TypeScript client connects by %s", async (version, _, document) => {
  const url = new URL(`${running.origin}/mcp`);
  const provider = new Provider(document);
  const info = { name: "test", version: "1" };
  const authProvider = provider as never;
  const make = () =>
    version === "v1"
      ? { client: new ClientV1(info), transport: new TransportV1(url, { authProvider }) }
      : { client: new ClientV2(info), transport: new TransportV2(url, { authProvider }) };
  const first = make();
  await expect(first.client.connect(first.transport as never)).rejects.toThrow(/unauthorized/i);
  const back = await allow(new Browser(), provider.authorizationUrl?.href ?? "");
  expect(back.port).toBe("45678");
  if (first.transport instanceof TransportV2) await first.transport.finishAuth(back.searchParams);
  else await first.transport.finishAuth(back.searchParams.get("code") ?? "");
  const { client, transport } = make();
  await client.connect(transport as never);
  expect((await client.listTools()).tools.map(({ name }) => name)).toContain("read_file");
  await client.close();
});

/** Signed in once for all of them: a network has ten sign-ins a minute. */
const browser = new Browser();

/** What clients send to be registered, from their sources and public logs; and what they are sent to. */
const BODIES = [
  {
    client: "Claude.ai",
    redirect: "https://claude.ai/api/mcp/auth_callback",
    body: {
      client_name: "Claude",
      redirect_uris: ["https://claude.ai/api/mcp/auth_callback"],
      grant_types: ["authorization_code", "refresh_token"],
      response_types: ["code"],
      token_endpoint_auth_method: "client_secret_post",
      scope: "code:read ops",
    },
  },
  {
    client: "Claude Code",
    redirect: "http://localhost:53211/callback",
    body: {
      client_name: "Claude Code (mcp-edge)",
      redirect_uris: ["http://localhost:53211/callback"],
      grant_types: ["authorization_code", "refresh_token"],
      response_types: ["code"],
      token_endpoint_auth_method: "none",
    },
  },
  {
    client: "Cursor",
    redirect: "cursor://anysphere.cursor-mcp/oauth/callback",
    body: {
      client_name: "Cursor",
      redirect_uris: [
        "cursor://anysphere.cursor-mcp/oauth/callback",
        "https://www.cursor.com/agents/mcp/oauth/callback",
        "http://localhost:8787/callback",
      ],
      grant_types: ["authorization_code", "refresh_token"],
      response_types: ["code"],
      token_endpoint_auth_method: "none",
      scope: "",
      client_uri: "",
    },
  },
  {
    client: "VS Code",
    redirect: "http://127.0.0.1:49152/",
    body: {
      client_name: "Visual Studio Code",
      client_uri: "https://code.visualstudio.com",
      redirect_uris: [
        "https://insiders.vscode.dev/redirect",
        "https://vscode.dev/redirect",
        "http://127.0.0.1/",
        "http://127.0.0.1:33418/",
      ],
      grant_types: ["authorization_code", "refresh_token", "urn:ietf:params:oauth:grant-type:device_code"],
      response_types: ["code"],
      token_endpoint_auth_method: "none",
      application_type: "native",
    },
  },
  {
    client: "ChatGPT",
    redirect: "https://chatgpt.com/connector_platform_oauth_redirect",
    body: {
      client_name: "ChatGPT",
      redirect_uris: ["https://chatgpt.com/connector_platform_oauth_redirect"],
      grant_types: ["authorization_code", "refresh_token"],
      response_types: ["code"],
      token_endpoint_auth_method: "client_secret_post",
      logo_uri: null,
    },
  },
  {
    client: "Zed",
    redirect: "http://127.0.0.1:40123/callback",
    body: {
      client_name: "Zed",
      redirect_uris: ["http://127.0.0.1:40123/callback"],
      grant_types: ["authorization_code"],
      response_types: ["code"],
      token_endpoint_auth_method: "none",
    },
  },
  {
    client: "Inspector",
    redirect: "http://localhost:6274/oauth/callback",
    body: {
      client_name: "MCP Inspector",
      client_uri: "https://github.com/modelcontextprotocol/inspector",
      redirect_uris: ["http://localhost:6274/oauth/callback"],
      grant_types: ["authorization_code", "refresh_token"],
      response_types: ["code"],
      token_endpoint_auth_method: "none",
      scope: "openid code:read unknown:scope",
    },
  },
];

test.each(BODIES)(
  "$client registers with the body that it sends, and its redirect works",
  async ({ body, redirect }) => {
    const { origin } = running;
    const response = await register(origin, body);
    expect(response.status).toBe(201);
    const client = (await response.json()) as Record<string, unknown>;
    expect(client.redirect_uris).toEqual(body.redirect_uris);
    expect(client.grant_types).toEqual(["authorization_code", "refresh_token"]);
    const secret = body.token_endpoint_auth_method === "none" ? undefined : expect.any(String);
    expect(client.client_secret).toEqual(secret);
    const parameters = {
      client_id: String(client.client_id),
      redirect_uri: redirect,
      response_type: "code",
      code_challenge: "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
      code_challenge_method: "S256",
      scope: "code:read ops unknown:scope",
      resource: `${origin}/`,
    };
    const back = await allow(browser, `${origin}/authorize?${new URLSearchParams(parameters)}`);
    expect(back.href).toMatch(new RegExp(`^${redirect.replace(/[.*+?^$()[\]\\]/g, "\\$&")}`));
    const token = await fetch(`${origin}/token`, {
      method: "POST",
      body: new URLSearchParams({
        grant_type: "authorization_code",
        client_id: String(client.client_id),
        ...(client.client_secret ? { client_secret: String(client.client_secret) } : {}),
        code: back.searchParams.get("code") ?? "",
        redirect_uri: redirect,
        code_verifier: "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
        resource: `${origin}/mcp/`,
      }),
    });
    // Ada may not do `ops`, whatever a client asks for.
    expect(await token.json()).toMatchObject({ scope: "code:read", refresh_token: expect.any(String) });
  },
);
