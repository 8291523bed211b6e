import { describe, expect, test } from "@jest/globals";
import { CLIENTS, clientsNamed } from "../../../../cli/doctor/as/clients.ts";
import { checksAs } from "../../../../cli/doctor/as/index.ts";
import { byLink } from "../../../../cli/doctor/as/sign-in.ts";
import type { DoctorReport } from "../../../../cli/doctor/check.ts";
import { runDoctor } from "../../../../cli/doctor/run.ts";
import { ANSWER_MS, useFixture } from "../fixture.ts";
import { type Draft, type Fault, service } from "./service.ts";

const fixture = useFixture();

async function examineAs(id: string, fault?: Fault): Promise<DoctorReport> {
  const server = await fixture.keep(service(fixture.certificate, fault));
  const [shape] = clientsNamed(id);
  if (shape === undefined) throw new Error(`no client ${id}`);
  const url = `https://edge.test:${server.port}`;
  const signIn = byLink(async () => new URL(`${url}/link`));
  return runDoctor({
    url,
    connect: "127.0.0.1",
    ca: fixture.authority.ca,
    timeoutMs: ANSWER_MS,
    checks: checksAs(shape, { signIn }),
  });
}

test.each(CLIENTS.map(({ id }) => id))("%s signs in and calls a tool", async (id) => {
  const report = await examineAs(id);
  expect(report.checks.filter(({ ok }) => !ok)).toEqual([]);
  expect(report.checks.map((check) => check.id)).toContain("tools");
});

test("without a person who signs in, the checks end at the sign-in page", async () => {
  const server = await fixture.keep(service(fixture.certificate));
  const [shape] = clientsNamed("zed");
  const url = `https://edge.test:${server.port}`;
  const report = await runDoctor({
    url,
    connect: "127.0.0.1",
    ca: fixture.authority.ca,
    timeoutMs: ANSWER_MS,
    checks: shape ? checksAs(shape) : [],
  });
  expect(report.ok).toBe(true);
  expect(report.checks.at(-1)?.id).toBe("authorization");
});

test("an unknown client is refused with the names of the known ones", () => {
  expect(() => clientsNamed("claude")).toThrow(/no client "claude": write one of claude\.ai, chatgpt/);
  expect(clientsNamed("all")).toHaveLength(CLIENTS.length);
  expect(clientsNamed("zed, cursor").map(({ id }) => id)).toEqual(["zed", "cursor"]);
});

const at =
  (
    path: string,
    change: (draft: Draft & { body: Record<string, unknown> }) => void,
    method?: string,
  ): Fault =>
  (draft, received) => {
    if (received.path === path && (method === undefined || received.method === method))
      change(draft as Draft & { body: Record<string, unknown> });
  };
const RESOURCE = "/.well-known/oauth-protected-resource/mcp";
const ROOT = "/.well-known/oauth-protected-resource";
const SERVER = "/.well-known/oauth-authorization-server";
const unsigned =
  (fault: Fault): Fault =>
  (draft, received) => {
    if (received.headers.authorization === undefined) fault(draft, received);
  };

/** A server's fault, the client, the check that reports the fault, and the check's message. */
const FAULTS: [string, string, Fault, string, RegExp][] = [
  [
    "no challenge",
    "claude.ai",
    unsigned(at("/mcp", (d) => void delete d.headers["www-authenticate"])),
    "challenge",
    /without WWW-Authenticate/,
  ],
  [
    "an open endpoint",
    "zed",
    unsigned(
      at("/mcp", (d) => {
        d.status = 200;
      }),
    ),
    "challenge",
    /endpoint is open/,
  ],
  [
    "403 instead of 401",
    "vscode",
    unsigned(
      at("/mcp", (d) => {
        d.status = 403;
      }),
    ),
    "challenge",
    /403 instead of 401/,
  ],
  [
    "a redirect of /mcp",
    "claude.ai",
    unsigned(
      at("/mcp", (d) => {
        d.status = 307;
        d.headers.location = "/mcp/";
      }),
    ),
    "challenge",
    /307 to \/mcp\//,
  ],
  [
    "no scope in the challenge",
    "claude.ai",
    unsigned(
      at("/mcp", (d) => {
        d.headers["www-authenticate"] = d.headers["www-authenticate"]?.split(",")[0] ?? "";
      }),
    ),
    "challenge",
    /names no scope/,
  ],
  [
    "a relative metadata URL",
    "zed",
    unsigned(
      at("/mcp", (d) => {
        d.headers["www-authenticate"] = 'Bearer resource_metadata="/.well-known", scope="mcp"';
      }),
    ),
    "challenge",
    /absolute https URL/,
  ],
  [
    "a broken GET",
    "chatgpt",
    unsigned(
      at(
        "/mcp",
        (d) => {
          d.status = 500;
        },
        "GET",
      ),
    ),
    "probe",
    /status 500/,
  ],
  [
    "a resource with a slash",
    "claude.ai",
    at(RESOURCE, (d) => {
      d.body.resource += "/";
    }),
    "resource-metadata",
    /compare them exactly/,
  ],
  [
    "different documents at both paths",
    "zed",
    at(ROOT, (d) => {
      d.body.resource = "https://edge.test";
    }),
    "resource-metadata",
    /some clients read the one/,
  ],
  [
    "no authorization server",
    "vscode",
    at(RESOURCE, (d) => {
      d.body.authorization_servers = [];
    }),
    "resource-metadata",
    /authorization_servers is missing or empty/,
  ],
  [
    "offline_access as a resource's scope",
    "cursor",
    at(RESOURCE, (d) => {
      d.body.scopes_supported = ["mcp", "offline_access"];
    }),
    "resource-metadata",
    /offline_access/,
  ],
  [
    "an HTML page instead of metadata",
    "claude.ai",
    at(RESOURCE, (d) => {
      d.headers["content-type"] = "text/html";
      d.body = "<html>" as never;
    }),
    "resource-metadata",
    /instead of JSON/,
  ],
  [
    "another issuer",
    "zed",
    at(SERVER, (d) => {
      d.body.issuer += "/";
    }),
    "server-metadata",
    /compare them exactly/,
  ],
  [
    "no PKCE methods",
    "chatgpt",
    at(SERVER, (d) => void delete d.body.code_challenge_methods_supported),
    "server-metadata",
    /without S256/,
  ],
  [
    "no token endpoint methods",
    "chatgpt",
    at(SERVER, (d) => void delete d.body.token_endpoint_auth_methods_supported),
    "server-metadata",
    /client_secret_basic alone/,
  ],
  [
    "metadata documents without none",
    "claude.ai",
    at(SERVER, (d) => {
      d.body.token_endpoint_auth_methods_supported = ["client_secret_post"];
    }),
    "server-metadata",
    /lacks none/,
  ],
  [
    "no registration for a client that needs it",
    "cursor",
    at(SERVER, (d) => void delete d.body.registration_endpoint),
    "server-metadata",
    /registration_endpoint is missing/,
  ],
  [
    "no refresh grant",
    "zed",
    at(SERVER, (d) => {
      d.body.grant_types_supported = ["authorization_code"];
    }),
    "server-metadata",
    /no refresh_token/,
  ],
  [
    "metadata that a page may not read",
    "inspector",
    at(SERVER, (d) => void delete d.headers["access-control-allow-origin"]),
    "server-metadata",
    /Access-Control-Allow-Origin/,
  ],
  [
    "a preflight without Authorization",
    "inspector",
    at(
      "/mcp",
      (d) => {
        d.headers["access-control-allow-headers"] = "*";
      },
      "OPTIONS",
    ),
    "preflight",
    /lacks authorization/,
  ],
  [
    "OAuth on the token endpoint's host",
    "cursor",
    at("/mcp/token", (d) => {
      d.headers["www-authenticate"] = 'Bearer resource_metadata="https://x"';
    }),
    "pasted-token",
    /ignores a pasted token/,
  ],
  [
    "no endpoint for pasted tokens",
    "claude-code",
    at("/mcp/token", (d) => {
      d.status = 404;
    }),
    "pasted-token",
    /no endpoint/,
  ],
  [
    "an unknown client answered 400",
    "claude.ai",
    at("/token", (d) => {
      if (d.status === 401) d.status = 400;
    }),
    "forgotten-client",
    /never registers again/,
  ],
  [
    "a custom scheme refused",
    "cursor",
    (d, { path, body }) => {
      if (path !== "/register" || !body.includes("cursor://")) return;
      d.status = 400;
      d.body = { error: "invalid_redirect_uri", error_description: "https only" };
    },
    "registration",
    /invalid_redirect_uri: https only; it takes the registration without "cursor:\/\/anysphere/,
  ],
  [
    "an empty scope refused",
    "inspector",
    (d, { path, body }) => {
      if (path !== "/register" || !body.includes('"scope"')) return;
      d.status = 400;
      d.body = { error: "invalid_client_metadata" };
    },
    "registration",
    /without scope ""/,
  ],
  [
    "parentheses in a name refused",
    "claude-code",
    (d, { path, body }) => {
      if (path === SERVER) (d.body as Record<string, unknown>).client_id_metadata_document_supported = false;
      if (path !== "/register" || !body.includes("(")) return;
      d.status = 400;
      d.body = { error: "invalid_client_metadata" };
    },
    "registration",
    /without client_name "Claude Code \(mcp-edge\)"/,
  ],
  [
    "the redirect left out",
    "cursor",
    at("/register", (d) => {
      d.body.redirect_uris = ["https://www.cursor.com/x"];
    }),
    "registration",
    /was left out/,
  ],
  [
    "a confidential client without a secret",
    "librechat",
    at("/register", (d) => void delete d.body.client_secret),
    "registration",
    /no client_secret/,
  ],
  [
    "a resource with a slash refused",
    "claude-code",
    (d, { path, query }) => {
      if (path !== "/authorize" || !query.get("resource")?.endsWith("/mcp/")) return;
      d.status = 400;
      d.headers["content-type"] = "application/json";
      d.body = { error: "invalid_target" };
    },
    "authorization",
    /with resource=.*\/mcp\/: status 400, invalid_target/,
  ],
  [
    "a form that may not redirect",
    "claude.ai",
    at("/authorize", (d) => {
      d.headers["content-security-policy"] = "default-src 'none'; form-action 'self'";
    }),
    "authorization",
    /Chromium blocks the redirect to https:\/\/claude\.ai/,
  ],
  [
    "no iss",
    "chatgpt",
    at("/consent", (d) => {
      d.headers.location = d.headers.location?.replace(/&iss=[^&]*/, "") ?? "";
    }),
    "sign-in",
    /iss is missing/,
  ],
  [
    "a changed state",
    "zed",
    at("/consent", (d) => {
      d.headers.location = d.headers.location?.replace("state=", "state=x") ?? "";
    }),
    "sign-in",
    /state is not what/,
  ],
  [
    "another audience",
    "claude.ai",
    at("/token", (d) => {
      if (d.status === 200)
        d.body.access_token = `e.${Buffer.from('{"aud":["a","b"]}').toString("base64url")}.s`;
    }),
    "token",
    /aud of the access token/,
  ],
  [
    "no refresh token",
    "claude.ai",
    at("/token", (d) => void delete d.body.refresh_token),
    "token",
    /no refresh_token/,
  ],
  [
    "a token that may be cached",
    "vscode",
    at("/token", (d) => void delete d.headers["cache-control"]),
    "token",
    /no no-store/,
  ],
  [
    "a token that the endpoint refuses",
    "zed",
    (d, { path, headers }) => {
      if (path === "/mcp" && headers.authorization !== undefined) d.status = 401;
    },
    "tools",
    /401 with the new token/,
  ],
  [
    "no grace for a second refresh",
    "claude.ai",
    (() => {
      let seen = 0;
      return (d: Draft, { path, body }: { path: string; body: string }) => {
        if (path !== "/token" || !body.includes("grant_type=refresh_token") || d.status !== 200) return;
        if (++seen > 1) Object.assign(d, { status: 400, body: { error: "invalid_grant" } });
      };
    })(),
    "refresh",
    /invalid_grant\): the client loses its sign-in/,
  ],
];

describe("doctor --as reports", () => {
  test.each(FAULTS)("%s (%s)", async (_name, client, fault, id, message) => {
    const { checks, ok } = await examineAs(client, fault);
    const failed = checks.filter((check) => !check.ok && check.blockedBy === undefined);
    expect(ok).toBe(false);
    expect(failed.map((check) => check.id)).toEqual([id]);
    expect(failed[0]?.got).toMatch(message);
    expect(failed[0]?.fix).toBeTruthy();
  });
});
