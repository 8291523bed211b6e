import { afterAll, beforeAll, beforeEach, expect, test } from "@jest/globals";
import { WITHOUT_TOKEN_MS } from "../../../../server/auth/upstream/person-checks.ts";
import { StoredPeople } from "../../../../server/people/stored-people.ts";
import { list, type RunningOAuth, refresh, type Tokens } from "../oauth/support.ts";
import { type GitHubServer, gitHubServer, OCTOCAT } from "./github-server.ts";
import { CLIENT, type OpenIdServer, openIdServer } from "./openid-provider.ts";
import { portAndCallback, startWith, Visitor } from "./support.ts";

const HOUR_MS = 3_600_000;
const claims = { name: "Ada", email: "ada@example.com", email_verified: true, groups: ["dev"] };
let people = 0;

let openId: OpenIdServer;
let github: GitHubServer;
let running: RunningOAuth;
beforeAll(async () => {
  const { port, callback } = await portAndCallback("oidc");
  openId = await openIdServer(callback, { id: "ada", claims });
  github = await gitHubServer();
  running = await startWith(
    `oidc issuer=${openId.origin} client=${CLIENT} allow=group:dev; github url=${github.origin} client=${CLIENT} allow=group:acme`,
    { port },
  );
});
afterAll(async () => {
  await running.app.close();
  await openId[Symbol.asyncDispose]();
  await github[Symbol.asyncDispose]();
});

let visitor: Visitor;
let tokens: Tokens;
beforeEach(() => {
  visitor = new Visitor(running);
  github.revoked = false;
  github.account = OCTOCAT;
  openId.account = {
    id: `person-${++people}`,
    claims: { ...claims, email: `person-${people}@example.com` },
  };
});

/** As if the provider had vouched for everybody that time ago. */
async function age(
  ms: number,
  change: (payload: Record<string, unknown>) => object = (p) => p,
): Promise<void> {
  const { store } = running.server;
  for (const record of await store.list("ProviderIdentity"))
    await store.put({ ...record, payload: { ...change(record.payload), checkedAt: Date.now() - ms } });
}

/** @returns the status and, of tokens, the newest */
async function refreshed(): Promise<number> {
  const response = await refresh(running.origin, visitor.client, tokens.refresh_token);
  if (response.ok) tokens = (await response.json()) as Tokens;
  return response.status;
}

const account = () => visitor.here.get(`${running.origin}/account`).then((page) => page.text());

/** Nothing of a person who left is accepted any more. */
async function expectEnded(): Promise<void> {
  expect(await refreshed()).toBe(400);
  await running.server.refresh();
  expect((await list(running.origin, tokens.access_token)).status).toBe(401);
  expect(await account()).toContain("<h1>Sign in</h1>");
  expect(running.events).toContainEqual(expect.objectContaining({ type: "grant.revoked", by: "provider" }));
}

test("a person who was removed at an OpenID provider loses clients and browsers at the next refresh", async () => {
  tokens = await visitor.connect("oidc");
  openId.remove(`person-${people}`);
  // Nobody is asked within the hour.
  expect(await refreshed()).toBe(200);
  await age(HOUR_MS + 1);
  await expectEnded();
});

test("a person who left the allowed group loses access, and a person who joined another one has it", async () => {
  tokens = await visitor.connect("oidc");
  const login = `oidc:person-${people}@example.com`;
  openId.account = { ...openId.account, claims: { ...openId.account.claims, groups: ["dev", "new"] } };
  await age(HOUR_MS + 1);
  expect(await refreshed()).toBe(200);
  const stored = new StoredPeople(running.server.store, running.origin);
  expect((await stored.findByLogin(login))?.groups).toEqual(["oidc:dev", "oidc:new"]);
  openId.account = { ...openId.account, claims: { ...openId.account.claims, groups: [] } };
  await age(HOUR_MS + 1);
  await expectEnded();
  // Who comes back is the same person.
  const before = await stored.findByLogin(login);
  openId.account = { ...openId.account, claims: { ...openId.account.claims, groups: ["dev"] } };
  tokens = await new Visitor(running).connect("oidc");
  expect(await stored.findByLogin(login)).toMatchObject({ id: before?.id });
});

test("a refresh token of the provider that rotates is used by one of several refreshes at once", async () => {
  tokens = await visitor.connect("oidc");
  await age(HOUR_MS + 1);
  const all = await Promise.all(
    [1, 2, 3, 4].map(() => refresh(running.origin, visitor.client, tokens.refresh_token)),
  );
  expect(all.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
  tokens = (await all[0]?.json()) as Tokens;
  await age(HOUR_MS + 1);
  expect(await refreshed()).toBe(200);
});

test("while the provider is down its people go on for a day, then refreshes are refused until it is back", async () => {
  tokens = await visitor.connect("oidc");
  await age(HOUR_MS + 1);
  await openId.stop();
  expect(await refreshed()).toBe(200);
  await age(25 * HOUR_MS);
  const refused = await refresh(running.origin, visitor.client, tokens.refresh_token);
  expect(refused.status).toBe(503);
  expect(await refused.json()).toMatchObject({ error: "temporarily_unavailable" });
  await openId.open();
  await running.server.store.remove(
    "ProviderCheck",
    (await running.server.store.list("ProviderIdentity")).find(
      ({ payload }) => payload.subject === `person-${people}`,
    )?.person ?? "",
  );
  expect(await refreshed()).toBe(200);
});

test("a GitHub account that left the organisation, or took back the token, loses access", async () => {
  tokens = await visitor.connect("github");
  await age(HOUR_MS + 1);
  expect(await refreshed()).toBe(200);
  github.account = { ...OCTOCAT, orgs: [], teams: [] };
  await age(HOUR_MS + 1);
  await expectEnded();
  github.account = OCTOCAT;
  visitor = new Visitor(running);
  tokens = await visitor.connect("github");
  github.revoked = true;
  await age(HOUR_MS + 1);
  await expectEnded();
});

test("without anything to check with, a person signs in again after a week", async () => {
  tokens = await visitor.connect("oidc");
  const without = ({ token: _, ...payload }: Record<string, unknown>) => payload;
  await age(WITHOUT_TOKEN_MS - HOUR_MS, without);
  expect(await refreshed()).toBe(200);
  await age(WITHOUT_TOKEN_MS + 1, without);
  await expectEnded();
});

test("a browser that is signed in authorizes no client for a person who left", async () => {
  tokens = await visitor.connect("oidc");
  openId.remove(`person-${people}`);
  await age(HOUR_MS + 1);
  expect(await visitor.open()).toContain("Sign in with");
  expect(await refreshed()).toBe(400);
});

test("people of a provider that is not configured any more, and local people where none may sign in, are out", async () => {
  tokens = await visitor.connect("github");
  const { store } = running.server;
  const stored = new StoredPeople(store, running.origin);
  const local = await stored.directory.add({ login: "local", name: "L", groups: [], scopes: ["code:read"] });
  const octocat = await stored.findByLogin("github:octocat");
  await using other = await startWith(`oidc issuer=${openId.origin} client=${CLIENT} allow=*`, {
    env: { LOCAL_SIGN_IN: "no" },
  });
  const elsewhere = other.server.store;
  for (const model of ["Person", "PersonLogin", "ProviderIdentity"])
    for (const record of await store.list(model)) await elsewhere.put(record);
  for (const person of [local, octocat])
    expect(person && (await other.server.identityProviders?.confirm(person))).toBe(false);
});
