import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import type { ServerConfig } from "../../../../server/config/config.ts";
import { StoredPeople } from "../../../../server/people/stored-people.ts";
import type { RunningOAuth } from "../oauth/support.ts";
import { CLIENT } from "./openid-provider.ts";
import { type ScriptedProvider, scriptedProvider } from "./scripted-provider.ts";
import { startWith, Visitor } from "./support.ts";

/** Google and Entra cannot be here: a provider on loopback sends claims in their forms. */
const at = (upstream: ScriptedProvider) => (config: ServerConfig) => ({
  ...config,
  identity: {
    ...config.identity,
    providers: config.identity.providers.map((provider) => ({
      ...provider,
      issuer: upstream.issuer,
      graph: upstream.origin,
    })),
  },
});

const personOf = ({ server, origin }: RunningOAuth, login: string) =>
  new StoredPeople(server.store, origin).findByLogin(login);

describe("Google", () => {
  const ADA = { sub: "117", name: "Ada", email: "ada@example.com", email_verified: true, hd: "example.com" };
  let upstream: ScriptedProvider;
  let running: RunningOAuth;
  beforeAll(async () => {
    upstream = await scriptedProvider();
    running = await startWith(`google client=${CLIENT} allow=@example.com,eve@gmail.com,al@example.org`, {
      change: at(upstream),
    });
  });
  afterAll(async () => {
    await running.app.close();
    await upstream[Symbol.asyncDispose]();
  });

  test.each([
    ["of the hosted domain", {}, 200],
    ["with a domain's address, but of no hosted domain", { hd: undefined }, 403],
    ["of another hosted domain that has such an address", { hd: "example.net" }, 403],
    ["with an address that is not verified", { email_verified: false }, 403],
    ["with an allowed address at gmail.com", { sub: "2", email: "eve@gmail.com", hd: undefined }, 200],
    [
      "with an allowed address that Google does not host",
      { sub: "3", email: "al@example.org", hd: undefined },
      403,
    ],
  ])("a person %s", async (_who, change, status) => {
    upstream.claims = { ...ADA, ...change };
    expect((await new Visitor(running).signIn("google")).status).toBe(status);
    expect(upstream.asked.get("scope")).toBe("openid profile email");
    expect(upstream.asked.get("access_type")).toBe("offline");
  });

  test("is asked for the one domain that is allowed", async () => {
    await using one = await startWith(`google client=${CLIENT} allow=@example.com`, { change: at(upstream) });
    await new Visitor(one).begin("google");
    const asked = await new Visitor(one).begin("google");
    expect(asked.searchParams.get("hd")).toBe("example.com");
  });
});

describe("Entra", () => {
  const TENANT = "8eaef023-2b34-4da1-9baa-8bc8c9d6a490";
  const GROUP = "0f9d4a6c-5d1e-4c35-9a3e-0d7e3b7f0001";
  const OBJECT = "3b7f0001-5d1e-4c35-9a3e-0f9d4a6c0002";
  const ADA = { sub: "pairwise", oid: OBJECT, tid: TENANT, name: "Ada", email: "ada@example.com" };
  const OVERAGE = {
    _claim_names: { groups: "src1" },
    _claim_sources: { src1: { endpoint: "https://graph.windows.net/x/users/y/getMemberObjects" } },
  };
  let upstream: ScriptedProvider;
  beforeAll(async () => {
    upstream = await scriptedProvider(`/${TENANT}/v2.0`);
  });
  afterAll(async () => upstream[Symbol.asyncDispose]());

  const start = (allow: string, env: Record<string, string> = {}) =>
    startWith(`entra tenant=${TENANT} client=${CLIENT} allow=${allow}`, { change: at(upstream), env });

  test.each([
    ["in an allowed group", `group:${GROUP}`, { groups: [GROUP] }, 200],
    ["in another group", `group:${GROUP}`, { groups: [OBJECT] }, 403],
    ["by the object id", `user:${OBJECT.toUpperCase()}`, {}, 200],
    ["with an address that the tenant has not proven", "@example.com", {}, 403],
    ["with an address that the tenant has proven", "@example.com", { xms_edov: "1" }, 200],
    ["of another tenant", "*", { tid: OBJECT }, 400],
    ["of the tenant", "*", {}, 200],
  ])("a person %s", async (_who, allow, change, status) => {
    upstream.claims = { ...ADA, ...change };
    await using running = await start(allow);
    expect((await new Visitor(running).signIn("entra")).status).toBe(status);
  });

  test("with more groups than a token holds is looked up in Microsoft Graph, not where the token says", async () => {
    upstream.claims = { ...ADA, ...OVERAGE };
    upstream.graphGroups = [...Array.from({ length: 400 }, (_, n) => `group-${n}`), GROUP];
    await using running = await start(`group:${GROUP}`, { GRANTS: "group:entra:group-399" });
    await new Visitor(running).connect("entra");
    expect(upstream.graphed).toEqual(["Bearer upstream-access-token"]);
    expect(upstream.asked.get("scope")).toBe("openid profile email offline_access User.Read");
    const groups = (await personOf(running, "entra:pairwise"))?.groups ?? [];
    expect(groups).toContain("entra:group-399");
    expect(groups).toHaveLength(101);
  });

  test("with more groups than a token holds is not looked up where no rule names a group", async () => {
    upstream.claims = { ...ADA, ...OVERAGE };
    upstream.graphed.length = 0;
    await using running = await start("*");
    await new Visitor(running).connect("entra");
    expect(upstream.graphed).toEqual([]);
    expect(upstream.asked.get("scope")).not.toContain("User.Read");
  });

  test("an OpenID provider whose groups are elsewhere is not asked where its token says", async () => {
    upstream.claims = { ...ADA, ...OVERAGE };
    await using running = await startWith(
      `oidc issuer=${upstream.issuer} client=${CLIENT} allow=group:${GROUP}`,
    );
    expect((await new Visitor(running).signIn("oidc")).status).toBe(403);
  });
});
