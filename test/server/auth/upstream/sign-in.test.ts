import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { StoredPeople } from "../../../../server/people/stored-people.ts";
import { list, type RunningOAuth, refresh, startOAuth } from "../oauth/support.ts";
import { type GitHubServer, gitHubServer, OCTOCAT } from "./github-server.ts";
import { CLIENT, type OpenIdServer, openIdServer } from "./openid-provider.ts";
import { portAndCallback, SECRETS_FILE, startWith, Visitor } from "./support.ts";

const ADA = {
  id: "ada-1",
  claims: { name: "Ada", email: "Ada@example.com", email_verified: true, groups: ["dev", "ops"] },
};

describe("an OpenID provider", () => {
  let upstream: OpenIdServer;
  let running: RunningOAuth;
  beforeAll(async () => {
    const { port, callback } = await portAndCallback("oidc");
    upstream = await openIdServer(callback, ADA);
    running = await startWith(
      `oidc issuer=${upstream.origin} client=${CLIENT} allow=@example.com,group:guests ops=group:ops label=Example_ID`,
      { port, env: { GRANTS: "group:oidc:dev; user:oidc:ada@example.com scopes=code:read" } },
    );
  });
  afterAll(async () => {
    await running.app.close();
    await upstream[Symbol.asyncDispose]();
  });

  test("signs a person in, up to a call of a tool's list and a refresh", async () => {
    const visitor = new Visitor(running);
    const page = await visitor.open();
    expect(page).toContain("Sign in with Example ID");
    expect(page).toContain("Password");
    const tokens = await visitor.connect("oidc");
    const listed = await list(running.origin, tokens.access_token);
    expect(listed.status).toBe(200);
    expect(await listed.text()).toContain("read_file");
    expect((await refresh(running.origin, visitor.client, tokens.refresh_token)).status).toBe(200);
    const people = new StoredPeople(running.server.store, running.origin);
    expect(await people.findByLogin("oidc:ada@example.com")).toMatchObject({
      name: "Ada",
      groups: ["oidc:dev", "oidc:ops"],
      scopes: ["code:read", "ops"],
    });
    expect(running.events).toContainEqual(expect.objectContaining({ type: "sign-in", how: "upstream" }));
    expect(running.logs.join("")).not.toContain("upstream-");
  });

  test("keeps the person, whose name and address changed there", async () => {
    const people = new StoredPeople(running.server.store, running.origin);
    await new Visitor(running).connect("oidc");
    const before = await people.findByLogin("oidc:ada@example.com");
    upstream.account = { id: "ada-1", claims: { ...ADA.claims, name: "Ada L", email: "al@example.com" } };
    await new Visitor(running).connect("oidc");
    expect(await people.find(before?.id ?? "")).toMatchObject({
      login: "oidc:ada@example.com",
      name: "Ada L",
    });
    upstream.account = ADA;
  });

  test("refuses a person without a matching rule, names nobody else on the page, and records the refusal", async () => {
    upstream.account = { id: "eve", claims: { name: "Eve", email: "eve@example.net", email_verified: true } };
    const page = await new Visitor(running).signIn("oidc");
    expect(page.status).toBe(403);
    const text = await page.text();
    expect(text).toContain("eve@example.net");
    expect(text).not.toContain("example.com");
    expect(running.events.at(-1)).toMatchObject({
      type: "sign-in.refused",
      login: "oidc:eve@example.net",
      reason: "no rule allows this person, who has a verified e-mail address and 0 groups",
    });
    upstream.account = ADA;
  });

  test("gives an address that was another person's to nobody", async () => {
    await new Visitor(running).connect("oidc");
    upstream.account = { id: "ada-2", claims: ADA.claims };
    const page = await new Visitor(running).signIn("oidc");
    expect(page.status).toBe(403);
    expect(await page.text()).toContain("mcp-edge user remove oidc:ada@example.com");
    upstream.account = ADA;
  });

  test("that is down is named on the page with the request, and the reason is in the log", async () => {
    const { port, callback } = await portAndCallback("oidc");
    const other = await openIdServer(callback, ADA);
    await using second = await startWith(`oidc issuer=${other.origin} client=${CLIENT} allow=*`, { port });
    await other.stop();
    const visitor = new Visitor(second);
    const refused = await visitor.begin("oidc").catch((error: Error) => error.message);
    expect(refused).toMatch(/^502: /);
    expect(refused).toContain("single sign-on cannot be reached at the moment");
    const request = /request <code>([^<]+)</.exec(String(refused))?.[1];
    const line = second.logs.find((one) => one.includes("ECONNREFUSED"));
    expect(JSON.parse(line ?? "{}").request_id).toBe(request);
    await other.open();
    await expect(visitor.connect("oidc")).resolves.toMatchObject({ scope: "code:read" });
    await other[Symbol.asyncDispose]();
  });
});

describe("GitHub", () => {
  let upstream: GitHubServer;
  beforeAll(async () => {
    upstream = await gitHubServer();
  });
  afterAll(async () => upstream[Symbol.asyncDispose]());

  test("signs in an organisation's member, with teams as groups and without the right to read addresses", async () => {
    await using running = await startWith(
      `github url=${upstream.origin} client=${CLIENT} allow=group:acme ops=group:acme/platform`,
    );
    const tokens = await new Visitor(running).connect("github");
    expect((await list(running.origin, tokens.access_token)).status).toBe(200);
    expect(upstream.asked.get("scope")).toBe("read:org");
    const people = new StoredPeople(running.server.store, running.origin);
    expect(await people.findByLogin("github:octocat")).toMatchObject({
      name: "The Octocat",
      groups: ["github:acme", "github:acme/platform"],
      scopes: ["code:read", "ops"],
    });
  });

  test.each([
    ["user:octocat", 200, ""],
    ["octo@example.com", 200, "user:email"],
    ["@example.net", 200, "user:email"],
    ["boss@example.org", 403, "user:email"],
    ["group:other,user:somebody", 403, "read:org"],
  ])("with allow=%s answers %i and asks for the scope %j", async (allow, status, scope) => {
    await using running = await startWith(`github url=${upstream.origin} client=${CLIENT} allow=${allow}`);
    const page = await new Visitor(running).signIn("github");
    expect(page.status).toBe(status);
    expect(upstream.asked.get("scope")).toBe(scope);
  });

  test("reads all pages of organisations and teams", async () => {
    upstream.account = {
      ...OCTOCAT,
      orgs: Array.from({ length: 230 }, (_, n) => `org-${n}`),
      teams: [],
    };
    await using running = await startWith(
      `github url=${upstream.origin} client=${CLIENT} allow=group:org-229`,
      { env: { GRANTS: "group:github:org-228" } },
    );
    await new Visitor(running).connect("github");
    const people = new StoredPeople(running.server.store, running.origin);
    const groups = (await people.findByLogin("github:octocat"))?.groups ?? [];
    expect(groups).toContain("github:org-228");
    expect(groups.length).toBeLessThanOrEqual(101);
    upstream.account = OCTOCAT;
  });
});

describe("without a client", () => {
  let upstream: GitHubServer;
  let running: RunningOAuth;
  beforeAll(async () => {
    upstream = await gitHubServer();
    running = await startWith(`github url=${upstream.origin} client=${CLIENT} allow=user:octocat`);
  });
  afterAll(async () => {
    await running.app.close();
    await upstream[Symbol.asyncDispose]();
  });
  const begin = async (visitor: Visitor, to = "/account") => {
    const response = await visitor.here.get(`${running.origin}/sign-in/with/github?to=${to}`);
    return visitor.visit(new URL(response.headers.get("location") ?? ""));
  };

  test("a person signs in for /account, where there is no password and no passkey to add", async () => {
    const visitor = new Visitor(running);
    expect(await (await visitor.here.get(`${running.origin}/account`)).text()).toContain(
      "Sign in with GitHub",
    );
    const page = await visitor.here.get((await begin(visitor)).href);
    expect(page.url).toBe(`${running.origin}/account`);
    const text = await page.text();
    expect(text).toContain("github:octocat");
    expect(text).not.toMatch(/passkey|password|recovery/i);
    for (const path of ["/account/passkey", "/account/password"])
      expect((await visitor.here.get(running.origin + path)).url).toBe(`${running.origin}/account`);
    const codes = await visitor.here.submit(await visitor.here.get(`${running.origin}/account`), {
      action: "recovery-codes",
    });
    expect(codes.status).toBe(400);
  });

  test("the answer counts in the browser that asked, and leads to a page of this server only", async () => {
    const attacker = new Visitor(running);
    const back = await begin(attacker, "https://evil.example.net");
    const victim = new Visitor(running);
    await victim.here.get(`${running.origin}/sign-in/with/github?to=/account`);
    expect((await victim.here.get(back.href)).status).toBe(400);
    expect((await attacker.here.get(back.href)).url).toBe(`${running.origin}/account`);
  });
});

describe("without people of its own", () => {
  test("shows the providers' buttons only, and takes no password and no enrolment", async () => {
    const upstream = await gitHubServer();
    await using running = await startWith(
      `github url=${upstream.origin} client=${CLIENT} allow=user:octocat`,
      { env: { LOCAL_SIGN_IN: "no" } },
    );
    const visitor = new Visitor(running);
    const page = await visitor.open();
    expect(page).toContain("Sign in with GitHub");
    expect(page).not.toContain("Password");
    const [uid, csrf] = [
      /sign-in\/([^/"]+)\/with/.exec(page)?.[1],
      /name="csrf" value="([^"]+)"/.exec(page)?.[1],
    ];
    const typed = { csrf: csrf ?? "", login: "ada", password: "correct horse battery", code: "1" };
    expect((await visitor.here.post(`${running.origin}/sign-in/${uid}`, typed)).status).toBe(403);
    expect((await visitor.here.get(`${running.origin}/enrol?link=x`)).status).toBe(404);
    await upstream[Symbol.asyncDispose]();
  });

  test("a client secret that is missing keeps the server from starting, and is not named", async () => {
    const env = {
      IDENTITY_PROVIDERS: "google client=x allow=@example.com",
      IDENTITY_PROVIDER_SECRETS_FILE: `${SECRETS_FILE}-missing`,
    };
    await expect(startOAuth({ stored: true, env })).rejects.toThrow("cannot be read: ENOENT");
  });
});
