import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { StoredPeople } from "../../../../server/people/stored-people.ts";
import { Browser, type RunningOAuth } from "../oauth/support.ts";
import { type GitHubServer, gitHubServer } from "./github-server.ts";
import { CLIENT } from "./openid-provider.ts";
import { type ScriptedProvider, scriptedProvider } from "./scripted-provider.ts";
import { startWith, Visitor } from "./support.ts";

const ADA = { sub: "1", name: "Ada", email: "ada@example.com", email_verified: true };

/** What a person sees when the answer of a provider is not believed. */
const NOT_TRUSTED = "cannot be trusted";

let upstream: ScriptedProvider;
let github: GitHubServer;
let running: RunningOAuth;
beforeAll(async () => {
  upstream = await scriptedProvider();
  github = await gitHubServer();
  running = await startWith(
    `oidc issuer=${upstream.origin} client=${CLIENT} allow=ada@example.com; github url=${github.origin} client=${CLIENT} allow=user:octocat,ada@example.com`,
  );
});
afterAll(async () => {
  await running.app.close();
  await upstream[Symbol.asyncDispose]();
  await github[Symbol.asyncDispose]();
});

/** Each test begins with a provider that does nothing wrong. */
function honest(): Visitor {
  upstream.claims = ADA;
  upstream.answer = () => {};
  upstream.token = undefined;
  upstream.metadata = {};
  upstream.forged = false;
  return new Visitor(running);
}

async function people(): Promise<number> {
  return (await new StoredPeople(running.server.store, running.origin).directory.list()).length;
}

/** @returns the page's text, and checks that nobody is signed in */
async function refused(page: Response, status: number): Promise<string> {
  const text = await page.text();
  expect({ status: page.status, text: page.status === status ? "" : text }).toEqual({ status, text: "" });
  expect(text).not.toContain('value="allow"');
  return text;
}

test("an honest provider signs in, with PKCE, state and nonce", async () => {
  const visitor = honest();
  await visitor.connect("oidc");
  for (const name of ["state", "nonce", "code_challenge"])
    expect(upstream.asked.get(name)).toMatch(/^[\w-]{43}$/);
  expect(upstream.asked.get("code_challenge_method")).toBe("S256");
  expect(upstream.exchanged.at(-1)?.get("code_verifier")).toMatch(/^[\w-]{43}$/);
  expect(upstream.exchanged.at(-1)?.get("redirect_uri")).toBe(`${running.origin}/sign-in/callback/oidc`);
});

describe("an ID token is refused", () => {
  const now = Math.floor(Date.now() / 1_000);
  test.each([
    ["of another sign-in (nonce)", { nonce: "another" }],
    ["without a nonce", { nonce: undefined }],
    ["for another audience", { aud: "another-client" }],
    ["for several audiences without this one", { aud: ["one", "two"] }],
    ["of another issuer", { iss: "https://accounts.example.net" }],
    ["that has expired", { exp: now - 3_600 }],
    ["without a subject", { sub: undefined }],
  ])("%s", async (_what, change) => {
    const visitor = honest();
    upstream.claims = { ...ADA, ...change };
    expect(await refused(await visitor.signIn("oidc"), 400)).toContain(NOT_TRUSTED);
  });

  test("that is signed with a key that is not the provider's", async () => {
    const visitor = honest();
    upstream.forged = true;
    expect(await refused(await visitor.signIn("oidc"), 400)).toContain(NOT_TRUSTED);
  });
});

test("an address in the provider's metadata that is not the operator's leads to no request inside the network", async () => {
  honest();
  const inside = await scriptedProvider();
  for (const name of ["token_endpoint", "jwks_uri"]) {
    upstream.metadata = { [name]: `${inside.origin}/inside` };
    await using second = await startWith(`oidc issuer=${upstream.origin} client=${CLIENT} allow=*`);
    await refused(await new Visitor(second).signIn("oidc"), 502);
    expect(second.logs.join("")).toContain("only https URLs are fetched");
  }
  expect(inside.exchanged).toEqual([]);
  await inside[Symbol.asyncDispose]();
});

describe("the answer of the provider", () => {
  test("is used once: a replayed one is refused", async () => {
    const visitor = honest();
    const back = await visitor.visit(await visitor.begin("oidc"));
    expect((await visitor.here.get(back.href)).status).toBe(200);
    expect(await refused(await visitor.here.get(back.href), 400)).toContain("has expired");
  });

  test("counts in the browser that began the sign-in only, and ends nothing elsewhere", async () => {
    const attacker = honest();
    const back = await attacker.visit(await attacker.begin("oidc"));
    const victim = new Browser();
    expect(await refused(await victim.get(back.href), 400)).toContain("was begun in another browser");
    expect((await attacker.here.get(back.href)).status).toBe(200);
  });

  test("counts for the sign-in that asked for it only, also in the same browser", async () => {
    const visitor = honest();
    const first = await visitor.visit(await visitor.begin("oidc"));
    const second = await visitor.visit(await visitor.begin("oidc"));
    const uid = /sign-in\/([^/]+)\/from/.exec(
      (await running.app.http.inject({ method: "GET", url: second.pathname + second.search })).headers
        .location ?? "",
    )?.[1];
    const mixed = await visitor.here.get(`${running.origin}/sign-in/${uid}/from/oidc?${first.searchParams}`);
    expect(await refused(mixed, 400)).toContain("has expired");
  });

  test.each([
    ["another state", (p: URLSearchParams) => p.set("state", "x".repeat(43))],
    ["no state", (p: URLSearchParams) => p.delete("state")],
    ["two states", (p: URLSearchParams) => p.append("state", "y")],
  ])("with %s is refused", async (_what, answer) => {
    const visitor = honest();
    upstream.answer = answer;
    expect(await refused(await visitor.signIn("oidc"), 400)).toContain("has expired");
  });

  test("that names another issuer is refused (mix-up)", async () => {
    const visitor = honest();
    upstream.answer = (p) => p.set("iss", "https://accounts.example.net");
    const before = upstream.exchanged.length;
    expect(await refused(await visitor.signIn("oidc"), 400)).toContain(NOT_TRUSTED);
    expect(upstream.exchanged).toHaveLength(before);
  });

  test("without an issuer is refused where the provider always names it", async () => {
    upstream.metadata = { authorization_response_iss_parameter_supported: true };
    await using second = await startWith(`oidc issuer=${upstream.origin} client=${CLIENT} allow=*`);
    expect(await refused(await new Visitor(second).signIn("oidc"), 400)).toContain(NOT_TRUSTED);
  });

  test("does not go to another provider: the code of one is never sent to the other", async () => {
    const visitor = honest();
    const back = await visitor.visit(await visitor.begin("oidc"));
    const before = upstream.exchanged.length;
    const mixed = `${running.origin}/sign-in/callback/github${back.search}`;
    expect(await refused(await visitor.here.get(mixed), 400)).toContain("has expired");
    const atGitHub = await visitor.visit(await visitor.begin("github"));
    atGitHub.searchParams.set("iss", upstream.origin);
    expect(await refused(await visitor.here.get(atGitHub.href), 400)).toContain(NOT_TRUSTED);
    expect(upstream.exchanged).toHaveLength(before);
  });

  test("with an error shows no text of it, and leads nowhere else", async () => {
    const visitor = honest();
    upstream.answer = (p) => {
      p.delete("code");
      p.set("error", "access_denied");
      p.set("error_description", "Call 555 <script>alert(1)</script>");
      p.set("redirect_uri", "https://evil.example.net");
    };
    const text = await refused(await visitor.signIn("oidc"), 400);
    expect(text).toContain("did not sign you in");
    expect(text).not.toMatch(/555|script>alert|evil/);
    expect(running.events.at(-1)).toMatchObject({ reason: expect.stringContaining("access_denied") });
  });

  test.each(["//evil.example.net", "https:evil.example.net", "..%2f..%2fevil", "callback"])(
    "sends no browser elsewhere: %s as the sign-in or the provider",
    async (name) => {
      for (const path of [`/sign-in/${name}/with/oidc`, `/sign-in/callback/${name}?state=x`]) {
        const { statusCode, headers } = await running.app.http.inject({ method: "GET", url: path });
        expect(statusCode).toBeGreaterThanOrEqual(400);
        expect(headers.location).toBeUndefined();
      }
    },
  );
});

describe("a person is not let in by an address", () => {
  test("that the provider has not verified", async () => {
    const visitor = honest();
    for (const email_verified of [false, undefined, "no"]) {
      upstream.claims = { ...ADA, sub: "9", email_verified };
      await refused(await visitor.signIn("oidc"), 403);
    }
  });

  test("of an allowed person at another provider, as that person", async () => {
    await honest().connect("oidc");
    const before = await people();
    github.account = {
      ...github.account,
      id: 7,
      login: "mallory",
      emails: [{ email: "ada@example.com", verified: true, primary: true }],
    };
    await new Visitor(running).connect("github");
    const directory = new StoredPeople(running.server.store, running.origin).directory;
    expect(await people()).toBe(before + 1);
    expect((await directory.findByLogin("github:mallory"))?.id).not.toBe(
      (await directory.findByLogin("oidc:ada@example.com"))?.id,
    );
  });

  test("of a login that somebody else had at GitHub", async () => {
    github.account = { ...github.account, id: 583231, login: "Octocat", emails: [] };
    await new Visitor(running).connect("github");
    github.account = { ...github.account, id: 99, login: "octocat" };
    expect(await refused(await new Visitor(running).signIn("github"), 403)).toContain(
      "user remove github:octocat",
    );
  });
});

describe("what a provider sends is limited", () => {
  test.each([
    ["a token answer of three megabytes", () => ({ access_token: "x".repeat(3_000_000) }), 502],
    ["an answer that is no token", () => ({ hello: 1 }), 400],
    ["a token without an ID token", () => ({ access_token: "a", token_type: "Bearer" }), 400],
    ["an error of this server's client", () => ({ error: "invalid_client" }), 400],
  ] as const)("%s", async (_what, token, status) => {
    const visitor = honest();
    upstream.token = token;
    await refused(await visitor.signIn("oidc"), status);
  });

  test("a name with control characters and markup is text of one line", async () => {
    const visitor = honest();
    upstream.claims = { ...ADA, name: `<b>A\u202e\n${"x".repeat(500)}` };
    await visitor.connect("oidc");
    const directory = new StoredPeople(running.server.store, running.origin).directory;
    expect((await directory.findByLogin("oidc:ada@example.com"))?.name).toMatch(/^<b>A {2}x{1,100}$/);
  });

  test("no token, code or secret of a provider is in a log, an event or a page", async () => {
    const visitor = honest();
    await visitor.connect("oidc");
    const all = JSON.stringify([running.logs, running.events]);
    expect(all).not.toMatch(/upstream-access-token|upstream-refresh-token|code-\d|an upstream secret/);
    const kept = JSON.stringify(await running.server.store.list("ProviderIdentity"));
    expect(kept).not.toContain("upstream-refresh-token");
  });
});
