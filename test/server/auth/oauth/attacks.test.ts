import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { decodeJwt, exportJWK, generateKeyPair, SignJWT } from "jose";
import { CROWDED, REFRESH_GRACE_MS } from "../../../../server/auth/oauth/adapter.ts";
import {
  ADA,
  allow,
  authorizationUrl,
  Browser,
  connect,
  list,
  pkce,
  REDIRECT,
  type RunningOAuth,
  refresh,
  register,
  registeredClient,
  startOAuth,
  type Tokens,
  tokenRequest,
} from "./support.ts";

let running: RunningOAuth;
let origin: string;
beforeAll(async () => {
  running = await startOAuth();
  ({ origin } = running);
});
afterAll(() => running.app.close());

const errorOf = async (response: Response) => ((await response.json()) as { error: string }).error;

test("a redirect that the client did not register is never followed", async () => {
  const client = await registeredClient(origin);
  for (const redirect of [
    "https://evil.example.com/callback",
    "https://client.example.com.evil.example.com/callback",
    "https://client.example.com/callback/../evil",
    "https://client.example.com/callback?next=//evil.example.com",
    "https://client.example.com@evil.example.com/callback",
    "javascript:alert(1)//client.example.com/callback",
  ]) {
    const url = authorizationUrl(origin, client, {
      redirect_uri: redirect,
      code_challenge: pkce().challenge,
    });
    const response = await new Browser().get(url);
    expect([response.status, response.headers.get("location")]).toEqual([400, null]);
    expect(await response.text()).not.toContain("<script>x");
  }
});

test("registrations with unusable redirects are refused with their reason", async () => {
  for (const [uris, reason] of [
    [["http://client.example.com/callback"], /use https for client\.example\.com/],
    [["javascript:alert(1)"], /javascript/],
    [["data:text/html,x"], /data/],
    [["https://user:pw@client.example.com/"], /credentials/],
    [["not a url"], /not a URL/],
    [[], /missing or empty/],
    [undefined, /missing or empty/],
    [["https://client.example.com/#fragment"], /fragment/],
  ] as const) {
    const response = await register(origin, { redirect_uris: uris });
    expect(response.status).toBe(400);
    expect(((await response.json()) as { error_description: string }).error_description).toMatch(reason);
  }
});

test("PKCE cannot be left out or made weaker", async () => {
  const client = await registeredClient(origin);
  const { challenge, verifier } = pkce();
  for (const more of [
    {},
    { code_challenge: verifier, code_challenge_method: "plain" },
    { code_challenge: challenge, code_challenge_method: "" },
  ]) {
    const response = await new Browser().get(
      authorizationUrl(origin, client, more as Record<string, string>),
    );
    const back = new URL(response.headers.get("location") ?? "");
    expect(back.origin + back.pathname).toBe(REDIRECT);
    expect(back.searchParams.get("error")).toBe("invalid_request");
    expect(back.searchParams.get("iss")).toBe(origin);
  }
  const code = (
    await allow(new Browser(), authorizationUrl(origin, client, { code_challenge: challenge }))
  ).searchParams.get("code");
  const fields = {
    grant_type: "authorization_code",
    client_id: client,
    code: code ?? "",
    redirect_uri: REDIRECT,
  };
  for (const wrong of [{}, { code_verifier: challenge }, { code_verifier: pkce().verifier }])
    expect(
      await errorOf(await tokenRequest(origin, { ...fields, ...(wrong as Record<string, string>) })),
    ).toBe("invalid_grant");
});

test("a code that comes again ends what it gave", async () => {
  const { client, tokens, code, verifier } = await connect(origin);
  const again = await tokenRequest(origin, {
    grant_type: "authorization_code",
    client_id: client,
    code,
    redirect_uri: REDIRECT,
    code_verifier: verifier,
  });
  expect(await errorOf(again)).toBe("invalid_grant");
  await running.server.refresh();
  expect((await list(origin, tokens.access_token)).status).toBe(401);
  expect(await errorOf(await refresh(origin, client, tokens.refresh_token))).toBe("invalid_grant");
  expect(running.events).toContainEqual(
    expect.objectContaining({ type: "token.reused", client, what: "code" }),
  );
});

test("a code, and a refresh token, are of use to their own client only", async () => {
  const { client, tokens, code, verifier } = await connect(origin);
  const other = await registeredClient(origin);
  const stolen = {
    grant_type: "authorization_code",
    client_id: other,
    code,
    redirect_uri: REDIRECT,
    code_verifier: verifier,
  };
  expect(await errorOf(await tokenRequest(origin, stolen))).toBe("invalid_grant");
  expect(await errorOf(await refresh(origin, other, tokens.refresh_token))).toBe("invalid_grant");
  expect((await refresh(origin, client, tokens.refresh_token)).status).toBe(200);
});

test("a refresh token may come twice within the grace; later it ends the connection", async () => {
  const { client, tokens } = await connect(origin);
  const twice = await Promise.all([1, 2].map(() => refresh(origin, client, tokens.refresh_token)));
  expect(twice.map((response) => response.status)).toEqual([200, 200]);
  const [one, two] = (await Promise.all(twice.map((response) => response.json()))) as [Tokens, Tokens];
  expect(one.refresh_token).not.toBe(two.refresh_token);
  expect((await refresh(origin, client, one.refresh_token)).status).toBe(200);
  expect(running.events).toContainEqual(
    expect.objectContaining({ type: "token.refreshed", client, grace: true }),
  );
  await passGrace(client);
  expect(await errorOf(await refresh(origin, client, tokens.refresh_token))).toBe("invalid_grant");
  expect(await errorOf(await refresh(origin, client, two.refresh_token))).toBe("invalid_grant");
  await running.server.refresh();
  expect((await list(origin, two.access_token)).status).toBe(401);
});

/** As if a minute had passed since the client's refresh tokens were used. */
async function passGrace(client: string): Promise<void> {
  const { store } = running.server;
  for (const used of await store.list("RefreshToken", { client })) {
    if (used.consumedAt === undefined) continue;
    await store.remove(used.model, used.id);
    await store.put({ ...used, consumedAt: used.consumedAt - REFRESH_GRACE_MS - 1 });
  }
}

test("a forgotten client is told so in the words at which clients register again", async () => {
  const { client, tokens } = await connect(origin);
  await running.server.store.remove("Client", client);
  const response = await refresh(origin, client, tokens.refresh_token);
  expect([response.status, await errorOf(response)]).toEqual([401, "invalid_client"]);
});

test("a revoked refresh token ends its connection within a second, for every instance", async () => {
  const { client, tokens } = await connect(origin);
  const form = { client_id: client, token: tokens.refresh_token };
  expect((await fetch(`${origin}/revoke`, { method: "POST", body: new URLSearchParams(form) })).status).toBe(
    200,
  );
  await running.server.refresh();
  const refused = await list(origin, tokens.access_token);
  expect([refused.status, refused.headers.get("www-authenticate")]).toEqual([
    401,
    expect.stringContaining("invalid_token"),
  ]);
});

test("an access token is revoked alone, by its own client only", async () => {
  await using running = await startOAuth();
  const { origin } = running;
  const { client, tokens } = await connect(origin);
  const revoke = (by: string, token: string) =>
    fetch(`${origin}/revoke`, {
      method: "POST",
      body: new URLSearchParams({ client_id: by, token, token_type_hint: "access_token" }),
    });
  const status = async (token: string) => {
    await running.server.refresh();
    return (await list(origin, token)).status;
  };
  const stranger = await registeredClient(origin);
  expect((await revoke(stranger, tokens.access_token)).status).toBe(200);
  expect((await revoke(client, `${tokens.access_token}x`)).status).toBe(200);
  expect((await revoke("nobody", tokens.access_token)).status).toBe(401);
  expect(await status(tokens.access_token)).toBe(200);

  expect((await revoke(client, tokens.access_token)).status).toBe(200);
  expect(await status(tokens.access_token)).toBe(401);
  expect(running.events).toContainEqual(expect.objectContaining({ type: "token.revoked", client }));
  const renewed = (await (await refresh(origin, client, tokens.refresh_token)).json()) as Tokens;
  expect(await status(renewed.access_token)).toBe(200);
});

test("forged, foreign and altered access tokens are refused", async () => {
  const { tokens, client } = await connect(origin);
  const { keys } = running.server;
  const ours = await import("jose").then((jose) => jose.importJWK(keys.signing[0]?.jwk ?? {}, "ES256"));
  const theirs = await generateKeyPair("ES256", { extractable: true });
  const claims = decodeJwt(tokens.access_token);
  const sign = (payload: object, header: object, key: Parameters<SignJWT["sign"]>[0]) =>
    new SignJWT({ ...claims, ...payload } as Record<string, unknown>)
      .setProtectedHeader({ alg: "ES256", typ: "at+jwt", kid: keys.signing[0]?.jwk.kid ?? "", ...header })
      .sign(key);
  const [head = "", body = "", signature = ""] = tokens.access_token.split(".");
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const publicKey = await exportJWK(theirs.publicKey);
  const forged = [
    `${encode({ alg: "none", typ: "at+jwt" })}.${body}.`,
    `${encode({ alg: "none", typ: "at+jwt" })}.${body}.${signature}`,
    `${head}.${encode({ ...claims, scope: "code:read ops" })}.${signature}`,
    await sign({}, {}, theirs.privateKey),
    await sign({}, { jwk: publicKey, kid: undefined }, theirs.privateKey),
    await sign({}, { alg: "HS256" }, new TextEncoder().encode(JSON.stringify(publicKey))),
    await sign({ aud: "https://other.example.com/mcp" }, {}, ours),
    await sign({ aud: [`${origin}/mcp`, "https://other.example.com/mcp"] }, {}, ours),
    await sign({ iss: "https://other.example.com" }, {}, ours),
    await sign({ exp: 1 }, {}, ours),
    await sign({}, { typ: "JWT" }, ours),
    "x".repeat(5_000),
  ];
  for (const token of forged) expect((await list(origin, token)).status).toBe(401);
  // The same signing with what is right gets in: the refusals above are for their own reasons.
  expect((await list(origin, await sign({}, {}, ours))).status).toBe(200);
  expect(client).toBeDefined();
});

test("a person who is gone, or may do less, takes the rights of the tokens along", async () => {
  await using other = await startOAuth();
  const { tokens, client } = await connect(other.origin);
  other.people.people.delete(ADA.id);
  expect(await errorOf(await refresh(other.origin, client, tokens.refresh_token))).toBe("invalid_grant");
  await new Promise((resolve) => setTimeout(resolve, 2_100));
  expect((await list(other.origin, tokens.access_token)).status).toBe(401);
});

test("consent needs the form of this page in this browser", async () => {
  const client = await registeredClient(origin);
  const url = authorizationUrl(origin, client, { code_challenge: pkce().challenge });
  const browser = new Browser();
  const page = await browser.get(url);
  const fields = { action: "sign-in", login: "ada", password: "correct horse" };
  expect((await browser.post(page.url, fields)).status).toBe(403);
  expect((await browser.post(page.url, { ...fields, csrf: "x".repeat(43) })).status).toBe(403);
  const stranger = await new Browser().submit(page.clone(), fields);
  expect(stranger.status).toBe(400);
  const wrong = await browser.submit(page.clone(), { ...fields, password: "wrong" });
  expect(wrong.status).toBe(401);
  const consent = await browser.submit(page, fields);
  expect(await consent.clone().text()).toContain("Allow access?");
  expect(consent.headers.get("content-security-policy")).toContain("frame-ancestors 'none'");
  const denied = await browser.submit(consent, { action: "abort" });
  const back = new URL(denied.headers.get("location") ?? "");
  expect(Object.fromEntries(back.searchParams)).toMatchObject({
    error: "access_denied",
    state: "s1",
    iss: origin,
  });
});

test("text of a client cannot become markup, and floods and giants are refused", async () => {
  await using other = await startOAuth();
  const named = await register(other.origin, {
    client_name: "<script>x</script>\n\u2028\u202e",
    redirect_uris: [REDIRECT],
  });
  const { client_id: client } = (await named.json()) as { client_id: string };
  const page = await new Browser().get(
    authorizationUrl(other.origin, client, { code_challenge: pkce().challenge }),
  );
  const text = await page.text();
  expect(text).toContain("&#60;script&#62;");
  // The last one would turn round the warning that stands behind the name.
  for (const part of ["<script>x", "\u2028", "\u202e"]) expect(text).not.toContain(part);
  expect(
    (await register(other.origin, { client_name: "x".repeat(40_000), redirect_uris: [REDIRECT] })).status,
  ).toBe(413);
  const flood = await Promise.all(
    Array.from({ length: 25 }, () => register(other.origin, { redirect_uris: [REDIRECT] })),
  );
  const statuses = flood.map(({ status }) => status);
  expect(statuses.filter((status) => status === 201).length).toBeLessThanOrEqual(20);
  const refused = flood.find(({ status }) => status === 429);
  expect(Number(refused?.headers.get("retry-after"))).toBeGreaterThan(0);
});

test("a flood of registrations fills the store for an hour, not for a day", async () => {
  await using other = await startOAuth();
  const { store } = other.server;
  const lifeOf = async (client: string) =>
    ((await store.get("Client", client))?.expiresAt ?? Number.POSITIVE_INFINITY) - Date.now();
  expect(await lifeOf(await registeredClient(other.origin))).toBeGreaterThan(23 * 3_600_000);
  const expiresAt = Date.now() + 3_600_000;
  for (let n = 0; n < CROWDED.clients; n++)
    await store.put({ model: "Client", id: `flood-${n}`, payload: {}, expiresAt });
  expect(await lifeOf(await registeredClient(other.origin))).toBeLessThanOrEqual(CROWDED.unusedMs);
});

test("a failure of this server is a page for a browser, JSON for a client, and says nothing of its reason", async () => {
  await using other = await startOAuth();
  const client = await registeredClient(other.origin);
  const url = authorizationUrl(other.origin, client, { code_challenge: pkce().challenge });
  const { url: signIn } = await new Browser().get(url);
  other.server.interactions.details = async () => {
    throw new Error("the database is at db.internal");
  };
  const page = await fetch(signIn, { headers: { accept: "text/html,*/*;q=0.8" } });
  expect([page.status, page.headers.get("content-type")]).toEqual([500, "text/html; charset=utf-8"]);
  expect(page.headers.get("content-security-policy")).toContain("frame-ancestors 'none'");
  const text = await page.text();
  expect(text).toContain("server_error");
  expect(text).not.toContain("db.internal");
  const json = await fetch(signIn, { headers: { accept: "*/*" } });
  expect([json.status, await json.json()]).toEqual([
    500,
    { error: "server_error", error_description: "Internal server error" },
  ]);
});

test("no secret is in the log, in the events or, but for the keys, in the store", async () => {
  const { tokens, code, verifier, browser } = await connect(origin);
  await refresh(origin, "nobody", tokens.refresh_token);
  await list(origin, `${tokens.access_token}x`);
  const { store } = running.server;
  const models = [
    "RefreshToken",
    "AuthorizationCode",
    "Session",
    "Interaction",
    "Grant",
    "Client",
    "Consent",
  ];
  const kept = await Promise.all(models.map((model) => store.list(model)));
  const said = JSON.stringify([running.logs, running.events, kept]);
  const session = browser.cookies.get("mcp_edge_session")?.value ?? "";
  expect(session).not.toBe("");
  for (const secret of [tokens.access_token, tokens.refresh_token, code, verifier, session, "correct horse"])
    expect(said).not.toContain(secret);
});
