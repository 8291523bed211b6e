import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { type CryptoKey, exportJWK, generateKeyPair, type JWK, SignJWT } from "jose";
import { createApp } from "../../../../server/app.ts";
import { keysCommand } from "../../../../server/auth/keys-command.ts";
import { readConfig } from "../../../../server/config/config.ts";
import { startApp, temporaryFolder } from "../../support.ts";
import { makeToken } from "../support.ts";
import { connect, list, refresh, startOAuth } from "./support.ts";

const AT_BOTH = ["", "/mcp"];

describe("oauth", () => {
  test("clients find the server's metadata at every place where they look, and the same at each", async () => {
    await using running = await startOAuth({ env: { TOKEN_DOMAIN: "token.example.com" } });
    const { origin } = running;
    const get = async (path: string) => (await fetch(origin + path)).json();
    const resources = await Promise.all(
      AT_BOTH.map((path) => get(`/.well-known/oauth-protected-resource${path}`)),
    );
    expect(resources[0]).toMatchObject({ resource: `${origin}/mcp`, authorization_servers: [origin] });
    expect(resources[1]).toEqual(resources[0]);
    const servers = await Promise.all(
      ["oauth-authorization-server", "openid-configuration"].flatMap((name) =>
        [...AT_BOTH.map((path) => `/.well-known/${name}${path}`), `/mcp/.well-known/${name}`].map(get),
      ),
    );
    for (const document of servers) expect(document).toEqual(servers[0]);
    expect(servers[0]).toMatchObject({
      issuer: origin,
      client_id_metadata_document_supported: true,
      token_endpoint_auth_methods_supported: expect.arrayContaining(["none", "private_key_jwt"]),
      code_challenge_methods_supported: ["S256"],
      authorization_response_iss_parameter_supported: true,
    });
    const { jwks_uri: jwks } = servers[0] as { jwks_uri: string };
    expect(await (await fetch(jwks)).json()).toEqual({
      keys: [expect.not.objectContaining({ d: expect.anything() })],
    });

    const refused = await list(origin, "");
    expect(refused.headers.get("www-authenticate")).toBe(
      `Bearer resource_metadata="${origin}/.well-known/oauth-protected-resource/mcp", scope="code:read"`,
    );
    const { tokens } = await connect(origin);
    const forbidden = await fetch(`${origin}/metrics`, {
      headers: { authorization: `Bearer ${tokens.access_token}`, "x-forwarded-for": "192.0.2.1" },
    });
    expect([forbidden.status, forbidden.headers.get("www-authenticate")]).toEqual([
      403,
      `Bearer error="insufficient_scope", scope="ops", resource_metadata="${origin}/.well-known/oauth-protected-resource/mcp"`,
    ]);
  });

  test("static tokens work beside it, and at /mcp/token nothing speaks of OAuth", async () => {
    const folder = await temporaryFolder();
    const env = { TOKENS_FILE: join(folder.path, "tokens.json"), TOKEN_DOMAIN: "token.example.com" };
    await using running = await startOAuth({ env });
    const { token } = await makeToken(env);
    for (const path of ["/mcp", "/mcp/token"])
      expect((await list(running.origin, token, path)).status).toBe(200);
    const refused = await list(running.origin, "mcp_wrong", "/mcp/token");
    expect([refused.status, refused.headers.get("www-authenticate")]).toEqual([
      401,
      expect.not.stringContaining("metadata"),
    ]);
    expect((await fetch(`${running.origin}/.well-known/oauth-protected-resource/mcp/token`)).status).toBe(
      404,
    );
    // On the token domain there is no OAuth at all.
    const on = (url: string) =>
      running.app.http.inject({ method: "GET", url, headers: { host: "token.example.com" } });
    expect((await on("/.well-known/oauth-protected-resource")).statusCode).toBe(404);
    expect((await on("/.well-known/oauth-authorization-server")).statusCode).toBe(404);
    expect((await on("/mcp")).headers["www-authenticate"]).toBe("Bearer");
    await folder.remove();
  });

  test("two instances share clients, tokens, revocations and keys that are rotated by the command", async () => {
    const folder = await temporaryFolder();
    const env = { SESSIONS_DIR: folder.path };
    await using one = await startOAuth({ env });
    const { client, tokens } = await connect(one.origin);
    // The same address: what one instance signed the other verifies.
    await using two = await createTwin(one.origin, env);
    const answerOf = (token: string) =>
      two.http.inject({
        method: "GET",
        url: "/mcp",
        headers: { authorization: `Bearer ${token}`, host: "127.0.0.1" },
      });
    const listOn = async (token: string) => (await answerOf(token)).statusCode;
    expect(await listOn(tokens.access_token)).toBe(405);

    const rotate = async (...options: string[]) => {
      let written = "";
      await keysCommand(env, (text) => {
        written += text;
      }).parseAsync(["rotate", "--json", ...options], { from: "user" });
      await one.server.refresh();
      await two.auth.server?.refresh();
      return (JSON.parse(written) as { id: string }).id;
    };
    const renew = async ({ refresh_token }: typeof tokens) =>
      (await (await refresh(one.origin, client, refresh_token)).json()) as typeof tokens;
    const id = await rotate();
    const renewed = await renew(tokens);
    expect(Buffer.from(renewed.access_token.split(".")[0] ?? "", "base64url").toString()).toContain(id);
    for (const token of [tokens.access_token, renewed.access_token]) expect(await listOn(token)).toBe(405);

    // A key that is known to others: what it signed ends at once, also where it was verified before.
    await rotate("--now");
    for (const token of [tokens.access_token, renewed.access_token]) expect(await listOn(token)).toBe(401);
    // Nobody is banned for it.
    expect((await answerOf(renewed.access_token)).headers).not.toHaveProperty("x-refused-credential");
    const last = await renew(renewed);
    expect(await listOn(last.access_token)).toBe(405);

    const [connection] = await one.server.connections.list("p_ada");
    expect(connection).toMatchObject({ client, clientName: "Test", scopes: ["code:read"] });
    expect(await one.server.connections.revoke("p_ada", connection?.grant ?? "")).toBe(true);
    await two.auth.server?.refresh();
    expect(await listOn(last.access_token)).toBe(401);
    await two.close();
    await one.app.close();
    await folder.remove();
  });
});

async function createTwin(origin: string, env: Record<string, string>) {
  const config = readConfig({
    AUTH_MODE: "oauth",
    PUBLIC_URL: origin,
    SHED_EVENT_LOOP_MS: "0",
    LOG_LEVEL: "silent",
    ...env,
  });
  const { TestPeople } = await import("./support.ts");
  const audit = { ...config.audit, dir: undefined };
  const app = await createApp({ config: { ...config, audit }, people: new TestPeople() });
  return Object.assign(app, { [Symbol.asyncDispose]: () => app.close() });
}

describe("jwt", () => {
  let issuer: Server;
  let url: string;
  let keys: { privateKey: CryptoKey; jwk: JWK };
  let reads = 0;
  const makeKeys = async (kid: string) => {
    const { privateKey, publicKey } = await generateKeyPair("RS256", { extractable: true });
    return { privateKey, jwk: { ...(await exportJWK(publicKey)), kid, alg: "RS256", use: "sig" } };
  };
  beforeAll(async () => {
    keys = await makeKeys("k1");
    issuer = createServer((request, response) => {
      if (request.url === "/jwks") reads++;
      const metadata = { issuer: url, jwks_uri: `${url}/jwks` };
      response.setHeader("content-type", "application/json");
      if (request.url === "/.well-known/openid-configuration") response.end(JSON.stringify(metadata));
      else if (request.url === "/jwks") response.end(JSON.stringify({ keys: [keys.jwk] }));
      else response.writeHead(404).end();
    });
    await new Promise<void>((resolve) => issuer.listen(0, "127.0.0.1", resolve));
    url = `http://127.0.0.1:${(issuer.address() as AddressInfo).port}`;
  });
  afterAll(async () => {
    issuer.closeAllConnections();
    await new Promise((resolve) => issuer.close(resolve));
  });
  const sign = (
    claims: Record<string, unknown> = {},
    key = keys,
    header: { typ?: string } = { typ: "at+jwt" },
  ) =>
    new SignJWT({
      iss: url,
      aud: "api://mcp-edge",
      sub: "u1",
      scp: "mcp.read",
      exp: Math.floor(Date.now() / 1_000) + 60,
      ...claims,
    })
      .setProtectedHeader({ alg: "RS256", kid: key.jwk.kid ?? "", ...header })
      .sign(key.privateKey);

  const settings = () => ({
    AUTH_MODE: "jwt",
    PUBLIC_URL: "http://127.0.0.1:3000",
    JWT_ISSUER: url,
    JWT_AUDIENCE: "api://mcp-edge",
    JWT_SCOPES: "mcp.read=code:read",
    TOKENS_FILE: "/nonexistent/tokens.json",
    SHED_EVENT_LOOP_MS: "0",
  });

  test("only access tokens get in, and those of an issuer that does not set their type where that is allowed", async () => {
    const typed = { typ: "application/at+jwt" };
    const tokens = {
      access: await sign({}, keys, typed),
      jwt: await sign({}, keys, { typ: "JWT" }),
      untyped: await sign({}, keys, {}),
      logout: await sign({}, keys, { typ: "logout+jwt" }),
      id: await sign({ at_hash: "x" }, keys, { typ: "JWT" }),
      keycloakId: await sign({ typ: "ID" }, keys, { typ: "JWT" }),
    };
    const admitted = async (more: Record<string, string>) => {
      await using running = await startApp({ ...settings(), ...more });
      const names: string[] = [];
      for (const [name, token] of Object.entries(tokens)) {
        const answer = await list(running.origin, token);
        if (answer.status === 200) names.push(name);
        else if (name === "jwt") expect(await answer.text()).toContain("JWT_UNTYPED_ALLOWED=yes");
      }
      return names;
    };
    expect(await admitted({})).toEqual(["access"]);
    expect(await admitted({ JWT_UNTYPED_ALLOWED: "yes" })).toEqual(["access", "jwt", "untyped"]);
  });

  test("another issuer's tokens get in by its keys, its audience and its scopes, and nothing else does", async () => {
    await using running = await startApp({ ...settings(), JWT_CLOCK_SKEW: "60" });
    reads = 0;
    const metadata = (await (
      await fetch(`${running.origin}/.well-known/oauth-protected-resource/mcp`)
    ).json()) as object;
    expect(metadata).toMatchObject({ resource: "http://127.0.0.1:3000/mcp", authorization_servers: [url] });
    const status = async (token: string) => (await list(running.origin, token)).status;
    expect(await (await list(running.origin, await sign())).text()).toContain("read_file");
    expect(await (await list(running.origin, await sign({ scp: "other" }))).text()).not.toContain(
      "read_file",
    );
    // The clocks may differ by JWT_CLOCK_SKEW.
    expect(await status(await sign({ exp: Math.floor(Date.now() / 1_000) - 30 }))).toBe(200);
    expect(await status(await sign({ exp: Math.floor(Date.now() / 1_000) - 90 }))).toBe(401);
    expect(await status(await sign({ aud: "api://other" }))).toBe(401);
    expect(await status(await sign({ iss: "https://other.example.com" }))).toBe(401);
    const stranger = await makeKeys("k1");
    expect(await status(await sign({}, stranger))).toBe(401);
    expect(reads).toBe(1);
    // Invented key ids make the server ask once, not each time.
    const next = await makeKeys("k2");
    for (let n = 0; n < 3; n++) expect(await status(await sign({}, next))).toBe(401);
    expect(reads).toBeLessThanOrEqual(2);
  });
});

describe("configuration", () => {
  test.each([
    [{ AUTH_MODE: "none", PUBLIC_URL: "https://mcp.example.com" }, /AUTH_NONE_ALLOWED=yes/],
    [{ AUTH_MODE: "oauth", HOST: "0.0.0.0" }, /PUBLIC_URL=https:/],
    [{ AUTH_MODE: "oauth", PUBLIC_URL: "http://mcp.example.com" }, /needs https/],
    [{ AUTH_MODE: "jwt", PUBLIC_URL: "https://mcp.example.com" }, /JWT_ISSUER=/],
    [{ JWT_SCOPES: "a=b" }, /theirs=ours/],
  ])("%j is refused", (env, reason) => {
    expect(() => readConfig(env as Record<string, string>)).toThrow(reason);
  });

  test("`none` on a public address is accepted when it is said twice", () => {
    const env = { AUTH_MODE: "none", AUTH_NONE_ALLOWED: "yes", PUBLIC_URL: "https://mcp.example.com" };
    expect(readConfig(env).authMode).toBe("none");
  });
});
