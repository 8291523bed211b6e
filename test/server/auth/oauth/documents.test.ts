import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { type CryptoKey, exportJWK, generateKeyPair, SignJWT } from "jose";
import { CROWDED_DOCUMENTS, type DocumentFetch } from "../../../../server/auth/oauth/client-documents.ts";
import {
  allow,
  authorizationUrl,
  Browser,
  connect,
  pkce,
  REDIRECT,
  type RunningOAuth,
  startOAuth,
  type Tokens,
  tokenRequest,
} from "./support.ts";

const ID = "https://client.example.com/oauth/client.json";
const SIGNING = "https://signing.example.com/client.json";
const JWKS = "https://signing.example.com/jwks.json";

/** What is at the URLs of clients. */
const documents = new Map<string, { status?: number; body: unknown }>();
const fetched: string[] = [];
const fetchDocument: DocumentFetch = async (url) => {
  fetched.push(url);
  const found = documents.get(url);
  if (!found) throw new Error("no such host");
  return Response.json(found.body, {
    status: found.status ?? 200,
    headers: { "cache-control": "max-age=600" },
  });
};

let running: RunningOAuth;
let signingKey: CryptoKey;
beforeAll(async () => {
  const { publicKey, privateKey } = await generateKeyPair("RS256", { extractable: true });
  signingKey = privateKey;
  documents.set(ID, {
    body: { client_id: ID, client_name: "Documented", redirect_uris: [REDIRECT], scope: "", logo_uri: "" },
  });
  documents.set(SIGNING, {
    body: {
      client_id: SIGNING,
      client_name: "Signing",
      redirect_uris: [REDIRECT],
      token_endpoint_auth_method: "private_key_jwt",
      token_endpoint_auth_methods_supported: ["none", "private_key_jwt"],
      token_endpoint_auth_signing_alg: "RS256",
      jwks_uri: JWKS,
    },
  });
  documents.set(JWKS, {
    body: { keys: [{ ...(await exportJWK(publicKey)), kid: "k", alg: "RS256", use: "sig" }] },
  });
  running = await startOAuth({ fetch: fetchDocument });
});
afterAll(() => running.app.close());

test("a client is known by its document, whose host the person is shown", async () => {
  const browser = new Browser();
  const page = await browser.get(authorizationUrl(running.origin, ID, { code_challenge: pkce().challenge }));
  const consent = await browser.submit(page, { action: "sign-in", login: "ada", password: "correct horse" });
  expect(await consent.text()).toMatch(/Documented.*published by <strong>client\.example\.com/s);
  const { tokens } = await connect(running.origin, { client: ID });
  expect(tokens.refresh_token).toBeDefined();
  expect(fetched.filter((url) => url === ID)).toHaveLength(1);
});

test("a remembered consent asks no more, in a new browser either", async () => {
  await connect(running.origin, { client: ID });
  const browser = new Browser();
  const { challenge } = pkce();
  const page = await browser.get(authorizationUrl(running.origin, ID, { code_challenge: challenge }));
  const back = await browser.submit(page, { action: "sign-in", login: "ada", password: "correct horse" });
  expect(new URL(back.headers.get("location") ?? "").searchParams.get("code")).toBeTruthy();
  // More than was allowed is asked about; what the person may not do is not granted.
  const more = authorizationUrl(running.origin, ID, { code_challenge: challenge, scope: "code:read ops" });
  expect(await (await browser.get(more)).text()).toContain("Allow access?");
});

test("a client that signs its token requests gets tokens, and nobody in its name", async () => {
  const { origin } = running;
  const { verifier, challenge } = pkce();
  const back = await allow(new Browser(), authorizationUrl(origin, SIGNING, { code_challenge: challenge }));
  const fields = {
    grant_type: "authorization_code",
    client_id: SIGNING,
    code: back.searchParams.get("code") ?? "",
    redirect_uri: REDIRECT,
    code_verifier: verifier,
  };
  expect((await tokenRequest(origin, fields)).status).toBe(401);
  const assertion = (key: CryptoKey, audience = origin) =>
    new SignJWT({})
      .setProtectedHeader({ alg: "RS256", kid: "k" })
      .setIssuer(SIGNING)
      .setSubject(SIGNING)
      .setAudience(audience)
      .setJti(crypto.randomUUID())
      .setIssuedAt()
      .setExpirationTime("1m")
      .sign(key);
  const signed = (text: string) => ({
    ...fields,
    client_assertion_type: "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
    client_assertion: text,
  });
  const { privateKey } = await generateKeyPair("RS256");
  expect((await tokenRequest(origin, signed(await assertion(privateKey)))).status).toBe(401);
  const right = await assertion(signingKey, `${origin}/token`);
  const response = await tokenRequest(origin, signed(right));
  expect([response.status, ((await response.json()) as Tokens).refresh_token]).toEqual([
    200,
    expect.any(String),
  ]);
  expect((await tokenRequest(origin, signed(right))).status).toBe(401);
});

test("while a document cannot be fetched, the kept or the pinned copy stands in; an unknown client is refused", async () => {
  const claude = "https://claude.ai/oauth/mcp-oauth-client-metadata";
  const redirect = "https://claude.ai/api/mcp/auth_callback";
  documents.set(claude, { status: 403, body: {} });
  await connect(running.origin, { client: claude, more: { redirect_uri: redirect } });
  expect(running.events).toContainEqual(
    expect.objectContaining({ type: "client.document", client: claude, from: "pinned" }),
  );
  const unknown = await new Browser().get(
    authorizationUrl(running.origin, "https://nobody.example.com/c", { code_challenge: pkce().challenge }),
  );
  expect([unknown.status, unknown.headers.get("location")]).toEqual([400, null]);
});

test("a document of somebody else, with a secret, or with a redirect over http is refused", async () => {
  for (const [n, body] of [
    { client_id: ID, redirect_uris: [REDIRECT] },
    { redirect_uris: ["http://evil.example.com/"] },
    { redirect_uris: [REDIRECT], client_secret: "s" },
    { redirect_uris: [REDIRECT], token_endpoint_auth_method: "client_secret_post" },
    { redirect_uris: [] },
    [],
    "text",
  ].entries()) {
    const id = `https://wrong${n}.example.com/client.json`;
    documents.set(id, {
      body: typeof body === "object" && !Array.isArray(body) ? { client_id: id, ...body } : body,
    });
    const response = await new Browser().get(
      authorizationUrl(running.origin, id, { code_challenge: pkce().challenge }),
    );
    expect([n, response.status, response.headers.get("location")]).toEqual([n, 400, null]);
  }
});

test("of a flood of documents only a thousand are kept for long", async () => {
  await using other = await startOAuth({ fetch: fetchDocument });
  const { server, origin } = other;
  const lifeOf = async (id: string) => {
    documents.set(id, { body: { client_id: id, redirect_uris: [REDIRECT] } });
    await new Browser().get(authorizationUrl(origin, id, { code_challenge: pkce().challenge }));
    return ((await server.store.get("ClientDocument", id))?.expiresAt ?? Number.NaN) - Date.now();
  };
  expect(await lifeOf("https://early.example.com/client.json")).toBeGreaterThan(86_400_000);
  const expiresAt = Date.now() + 86_400_000;
  for (let n = 0; n < CROWDED_DOCUMENTS.documents; n++)
    await server.store.put({ model: "ClientDocument", id: `https://flood${n}/`, payload: {}, expiresAt });
  const late = await lifeOf("https://late.example.com/client.json");
  expect(late).toBeGreaterThan(0);
  expect(late).toBeLessThanOrEqual(CROWDED_DOCUMENTS.staleMs);
});
