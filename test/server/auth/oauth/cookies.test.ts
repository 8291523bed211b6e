import { once } from "node:events";
import { type IncomingMessage, request } from "node:http";
import { expect, test } from "@jest/globals";
import { authorizationUrl, pkce, registeredClient, startOAuth } from "./support.ts";

const HOST = "mcp.example.com";

test("behind the edge every cookie is for https and for scripts of no page, and the session's for this host alone", async () => {
  await using running = await startOAuth({ env: { PUBLIC_URL: `https://${HOST}` } });
  const client = await registeredClient(running.origin);
  /** As the edge sends it on. */
  const send = async (url: string, options: { method?: string; cookie?: string; body?: string } = {}) => {
    const { pathname, search } = new URL(url);
    const headers = {
      host: HOST,
      "x-forwarded-for": "192.0.2.1",
      "x-forwarded-proto": "https",
      "x-forwarded-host": HOST,
      ...(options.cookie ? { cookie: options.cookie } : {}),
      ...(options.body ? { "content-type": "application/x-www-form-urlencoded" } : {}),
    };
    const outgoing = request(running.origin + pathname + search, {
      method: options.method ?? "GET",
      headers,
    });
    outgoing.end(options.body);
    const [response] = (await once(outgoing, "response")) as [IncomingMessage];
    let text = "";
    for await (const chunk of response) text += chunk;
    return { response, text, cookies: response.headers["set-cookie"] ?? [] };
  };
  const pairs = (cookies: string[]) => cookies.map((cookie) => cookie.split(";", 1)[0]).join("; ");
  const started = await send(authorizationUrl(running.origin, client, { code_challenge: pkce().challenge }));
  expect(started.response.headers.location).toMatch(/^\/sign-in\//);
  const page = await send(`https://${HOST}${started.response.headers.location}`, {
    cookie: pairs(started.cookies),
  });
  const csrf = /name="csrf" value="([^"]+)"/.exec(page.text)?.[1] ?? "";
  const body = String(
    new URLSearchParams({ csrf, action: "sign-in", login: "ada", password: "correct horse" }),
  );
  const signedIn = await send(`https://${HOST}${started.response.headers.location}`, {
    method: "POST",
    cookie: pairs(started.cookies),
    body,
  });
  expect(signedIn.response.headers.location).toMatch(/^https:\/\/mcp\.example\.com\/authorize\//);
  const resumed = await send(signedIn.response.headers.location ?? "", { cookie: pairs(started.cookies) });
  const set = [...started.cookies, ...resumed.cookies].filter((cookie) => !cookie.includes("01 Jan 1970"));
  expect(set.length).toBeGreaterThan(4);
  for (const cookie of set) {
    expect(cookie).toMatch(/^__(Host|Secure)-mcp_edge_/);
    for (const attribute of [/; secure/i, /; httponly/i, /; samesite=lax/i])
      expect(cookie).toMatch(attribute);
    expect(cookie).not.toMatch(/; domain=/i);
  }
  expect(set).toContainEqual(expect.stringMatching(/^__Host-mcp_edge_session=[^;]+; path=\/;/));
});
