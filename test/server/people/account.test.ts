import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { StoredPeople } from "../../../server/people/stored-people.ts";
import { ADA, Browser, connect, type RunningOAuth, startOAuth } from "../auth/oauth/support.ts";
import { SoftAuthenticator } from "./authenticator.ts";
import { codeOf, enrolled, LONG_PASSWORD } from "./support.ts";

const unescaped = (html: string) => html.replace(/&#(\d+);/g, (_, code) => String.fromCharCode(Number(code)));
const optionsOf = (html: string) => unescaped(/data-options="([^"]*)"/.exec(html)?.[1] ?? "");
const pathOf = (response: Response) => new URL(response.url).pathname + new URL(response.url).search;

describe("what a person has connected", () => {
  let running: RunningOAuth;
  beforeAll(async () => {
    running = await startOAuth();
  });
  afterAll(() => running.app.close());

  test("/account: only its own form, in its own browser, ends an access", async () => {
    const { origin, server } = running;
    const url = `${origin}/account`;
    const { browser } = await connect(origin);
    const [{ grant = "" } = {}] = await server.connections.list(ADA.id);
    const action = `revoke ${grant}`;
    expect((await browser.post(url, { action })).status).toBe(403);
    expect((await browser.post(url, { action, csrf: "x".repeat(43) })).status).toBe(403);

    // Of another browser of the same person, and of a stranger.
    const other = (await connect(origin)).browser;
    const csrf = /name="csrf" value="([^"]+)"/.exec(await (await other.get(url)).text())?.[1] ?? "";
    expect((await browser.post(url, { action, csrf })).status).toBe(403);
    expect(pathOf(await new Browser().post(url, { action, csrf }))).toBe("/sign-in?to=%2Faccount");
    expect((await server.connections.list(ADA.id)).map((one) => one.grant)).toContain(grant);

    const page = await browser.submit(await browser.get(url), { action });
    expect([page.status, await page.text()]).toEqual([200, expect.stringContaining("access has ended")]);
    expect((await server.connections.list(ADA.id)).map((one) => one.grant)).not.toContain(grant);
    expect(page.headers.get("cache-control")).toBe("no-store");
  });

  test("a person signs one other browser out, then all others", async () => {
    const { origin, server, events } = running;
    const [here, second, third, fourth] = await Promise.all(
      Array.from({ length: 4 }, async () => (await connect(origin)).browser),
    );
    const page = await here?.get(`${origin}/account`);
    const text = (await page?.clone().text()) ?? "";
    const others = [...text.matchAll(/value="(end [^"]+)"/g)].map(([, action = ""]) => action);
    if (!page || !here) throw new Error("no page");
    const after = await here.submit(page, { action: others[0] ?? "" });
    expect(await server.sessions.list(ADA.id)).toHaveLength(others.length);
    await here.submit(after, { action: "end-others" });
    expect(await server.sessions.list(ADA.id)).toHaveLength(1);
    for (const browser of [second, third, fourth])
      expect(pathOf((await browser?.get(`${origin}/account`)) as Response)).toMatch(/^\/sign-in/);
    expect(pathOf(await here.get(`${origin}/account`))).toBe("/account");
    expect(events.filter(({ type }) => type === "sessions.ended")).toEqual([
      expect.objectContaining({ person: ADA.id, sessions: 1, address: "127.0.0.1" }),
      expect.objectContaining({ person: ADA.id, sessions: others.length - 1 }),
    ]);
  });
});

describe("how a person signs in", () => {
  let running: RunningOAuth;
  let people: StoredPeople;
  let origin: string;
  beforeAll(async () => {
    running = await startOAuth({ stored: true });
    people = new StoredPeople(running.server.store, running.origin);
    origin = running.origin;
  });
  afterAll(() => running.app.close());

  /** Attempts of one network are few, so each test has its own. */
  const attempt = (login: string, code = "", password = LONG_PASSWORD) =>
    people.signIn({ login, password, code, source: "192.0.2.1" });

  /** A browser in which this person signed in at `/sign-in`, and the page that it led to. */
  async function signedIn(login: string, code = "", password = LONG_PASSWORD, to = "/account") {
    const browser = new Browser();
    const form = await browser.get(`${origin}${to}`);
    const page = await submit(browser, form, { login, password, code, action: "sign-in" });
    return { browser, page };
  }

  /** A browser in which this person signed in by a link, and their account page. */
  async function visiting(person: { id: string }) {
    const browser = new Browser();
    await browser.get(origin + (await people.links.make(person.id, "sign-in")).path);
    return { browser, page: await browser.get(`${origin}/account`) };
  }

  /** Sends a form with the hidden fields of its page. */
  async function submit(browser: Browser, page: Response, fields: Record<string, string>) {
    const visit = /name="visit" value="([^"]+)"/.exec(await page.clone().text())?.[1];
    return browser.submit(page, { ...(visit ? { visit } : {}), ...fields });
  }

  /** As if the person had signed in long ago. */
  async function age(person: string) {
    for (const record of await running.server.store.list("Session", { person })) {
      const payload = { ...record.payload, loginTs: Number(record.payload.loginTs) - 601 };
      await running.server.store.put({ ...record, payload });
    }
  }

  const changes = (person: string) =>
    running.events.flatMap((event) =>
      event.type === "credential.changed" && event.person === person
        ? [`${event.credential} ${event.change}`]
        : [],
    );

  test("a page of the account asks for a sign-in, and leads back to itself", async () => {
    const { recoveryCodes } = await enrolled(people, "ada");
    const { browser, page } = await signedIn(
      "ada",
      recoveryCodes[0] ?? "",
      LONG_PASSWORD,
      "/account/passkey",
    );
    expect([page.status, pathOf(page)]).toEqual([200, "/account/passkey"]);
    expect(pathOf(await browser.get(`${origin}/sign-in?to=/account`))).toBe("/account");
  });

  test("a sign-in leads to no other site", async () => {
    const { person } = await enrolled(people, "olga");
    const { browser: signed } = await visiting(person);
    for (const to of [
      "https://evil.example/",
      "//evil.example",
      "/\\evil.example",
      "/account/../x",
      "javascript:x",
      "",
    ]) {
      const url = `${origin}/sign-in?to=${encodeURIComponent(to)}`;
      expect(pathOf(await signed.get(url))).toBe("/account");
    }
    const { recoveryCodes } = await enrolled(people, "otto");
    const browser = new Browser();
    const form = await browser.get(`${origin}/sign-in?to=${encodeURIComponent("//evil.example")}`);
    const fields = { login: "otto", password: LONG_PASSWORD, code: recoveryCodes[0] ?? "" };
    expect(pathOf(await submit(browser, form, fields))).toBe("/account");
  });

  test("the sign-in form works in its own browser only, and a wrong password is said once", async () => {
    const { recoveryCodes } = await enrolled(people, "bea");
    const browser = new Browser();
    const form = await browser.get(`${origin}/sign-in`);
    const right = { login: "bea", password: LONG_PASSWORD, code: recoveryCodes[0] ?? "" };
    expect((await submit(new Browser(), form.clone(), right)).status).toBe(403);
    expect((await submit(browser, form.clone(), { ...right, csrf: "x" })).status).toBe(403);
    const wrong = await submit(browser, form, { ...right, password: "wrong" });
    expect([wrong.status, await wrong.clone().text()]).toEqual([401, expect.stringContaining("is wrong")]);
    expect(pathOf(await submit(browser, wrong, right))).toBe("/account");
  });

  test("a passkey is added, renamed, used and removed; the last way in stays", async () => {
    const { person } = await enrolled(people, "cleo");
    const { browser } = await visiting(person);
    const authenticator = new SoftAuthenticator(origin);
    const form = await browser.get(`${origin}/account/passkey`);
    const passkey = authenticator.create(optionsOf(await form.clone().text()));
    let page = await submit(browser, form, { passkey, name: "  <phone>\u202e " });
    expect(pathOf(page)).toBe("/account?done=passkey-added");
    const [added] = await people.passkeys.list(person.id);
    expect(added).toMatchObject({ name: "<phone>", lastUsedAt: undefined });
    page = await submit(browser, page, { action: `rename-passkey ${added?.id}`, name: "key" });
    expect(await page.clone().text()).toContain("key");

    const other = new Browser();
    const sign = await other.get(`${origin}/sign-in`);
    const answer = authenticator.get(optionsOf(await sign.clone().text()));
    expect(pathOf(await submit(other, sign, { passkey: answer }))).toBe("/account");
    expect((await people.passkeys.list(person.id))[0]).toMatchObject({
      name: "key",
      lastUsedAt: expect.any(Number),
    });

    page = await submit(browser, page, { action: "remove-password" });
    expect(pathOf(page)).toBe("/account?done=password-removed");
    expect(await page.clone().text()).toContain("Your only way to sign in");
    const refused = await submit(browser, page, { action: `remove-passkey ${added?.id}` });
    expect([refused.status, await refused.clone().text()]).toEqual([
      409,
      expect.stringContaining("last way to sign in"),
    ]);
    expect(await people.passkeys.list(person.id)).toHaveLength(1);
    expect(changes(person.id)).toEqual(["passkey added", "passkey renamed", "password removed"]);
  });

  test("of two removals at the same moment one is refused", async () => {
    const { person } = await enrolled(people, "dora");
    const { browser } = await visiting(person);
    const form = await browser.get(`${origin}/account/passkey`);
    const passkey = new SoftAuthenticator(origin).create(optionsOf(await form.clone().text()));
    const page = await submit(browser, form, { passkey });
    const [{ id = "" } = {}] = await people.passkeys.list(person.id);
    const both = await Promise.all(
      ["remove-password", `remove-passkey ${id}`].map((action) => submit(browser, page.clone(), { action })),
    );
    expect(both.map(({ status }) => status).sort()).toEqual([200, 409]);
  });

  test("nobody changes or removes another person's passkey", async () => {
    const victim = await enrolled(people, "vera");
    await people.directory.store.add({
      model: "Passkey",
      id: "victims",
      payload: { createdAt: 0 },
      person: victim.person.id,
    });
    const { person } = await enrolled(people, "mallory");
    const { browser, page } = await visiting(person);
    for (const action of ["rename-passkey victims", "remove-passkey victims"])
      await submit(browser, page.clone(), { action, name: "mine" });
    expect(await people.passkeys.list(victim.person.id)).toEqual([
      expect.objectContaining({ id: "victims", name: "Passkey of 1970-01-01" }),
    ]);
  });

  test("somebody who signed in long ago signs in again before a change", async () => {
    const { person, recoveryCodes } = await enrolled(people, "erin");
    const { browser, page } = await visiting(person);
    await age(person.id);
    for (const action of ["recovery-codes", "remove-password", "remove-passkey x"])
      expect(pathOf(await submit(browser, page.clone(), { action }))).toBe(
        "/sign-in?to=%2Faccount&again=yes",
      );
    for (const path of ["/account/passkey", "/account/password"]) {
      const again = await browser.get(origin + path);
      expect(pathOf(again)).toBe(`/sign-in?to=${encodeURIComponent(path)}&again=yes`);
      expect(await again.text()).toContain('value="erin"');
      const posted = await browser.post(origin + path, { what: "password", password: "x" });
      expect(pathOf(posted)).toMatch(/^\/sign-in/);
    }
    expect(changes(person.id)).toEqual([]);
    const form = await browser.get(`${origin}/account/password`);
    const fields = { login: "erin", password: LONG_PASSWORD, code: recoveryCodes[1] ?? "" };
    expect(pathOf(await submit(browser, form, fields))).toBe("/account/password");
  });

  test("the password and the app are changed; other browsers are signed out", async () => {
    const { person, recoveryCodes } = await enrolled(people, "fay");
    const other = (await visiting(person)).browser;
    const { browser } = await visiting(person);
    const url = `${origin}/account/password`;
    const form = await browser.get(url);
    const short = await submit(browser, form, { what: "password", password: "short", again: "short" });
    expect([short.status, await short.clone().text()]).toEqual([422, expect.stringContaining("at least 10")]);
    const password = "another battery staple";
    const changed = await submit(browser, short, { what: "password", password, again: password });
    expect(pathOf(changed)).toBe("/account?done=password-changed");
    expect(pathOf(await other.get(`${origin}/account`))).toMatch(/^\/sign-in/);

    const apps = await browser.get(url);
    const secret = /secret=([A-Z2-7]+)/.exec(await apps.clone().text())?.[1] ?? "";
    const wrong = await submit(browser, apps, { what: "authenticator", code: "000000" });
    expect(wrong.status).toBe(422);
    const app = await submit(browser, wrong, { what: "authenticator", code: codeOf(secret) });
    expect(pathOf(app)).toBe("/account?done=authenticator-changed");
    expect(await attempt("fay", recoveryCodes[3])).toBeUndefined();
    expect(await attempt("fay", recoveryCodes[2], password)).toBeDefined();
    expect(changes(person.id)).toEqual(["password replaced", "authenticator replaced"]);
    const everything = JSON.stringify(running.events) + running.logs.join("");
    for (const one of [password, secret, recoveryCodes[0] ?? ""]) expect(everything).not.toContain(one);
  });

  test("recovery codes are made again, shown once, and let in a person who has passkeys alone", async () => {
    const { person, recoveryCodes } = await enrolled(people, "gwen");
    const { browser } = await visiting(person);
    const form = await browser.get(`${origin}/account/passkey`);
    const passkey = new SoftAuthenticator(origin).create(optionsOf(await form.clone().text()));
    let page = await submit(browser, form, { passkey });
    page = await submit(browser, page, { action: "remove-password" });
    page = await submit(browser, page, { action: "recovery-codes" });
    const codes = (await page.text()).match(/(\w{4}-){3}\w{4}/g) ?? [];
    expect(codes).toHaveLength(10);
    const account = await (await browser.get(`${origin}/account`)).text();
    expect(account).toContain("10 are left");
    expect(account).not.toContain(codes[0]);

    // An old code, a new one beside a password that is none, a new one, and the same again.
    expect(await attempt("gwen", recoveryCodes[1], "")).toBeUndefined();
    expect(await attempt("gwen", codes[0], "x")).toBeUndefined();
    expect(await attempt("gwen", codes[0], "")).toMatchObject({ how: "recovery-code" });
    expect(await attempt("gwen", codes[0], "")).toBeUndefined();
    expect(pathOf((await signedIn("gwen", codes[1], "")).page)).toBe("/account");
    expect(running.events).toContainEqual(
      expect.objectContaining({ type: "sign-in", person: person.id, how: "recovery-code" }),
    );
  });

  test("with a password, a recovery code alone lets nobody in", async () => {
    const { recoveryCodes } = await enrolled(people, "hope");
    expect(await attempt("hope", recoveryCodes[0], "")).toBeUndefined();
    expect(await attempt("hope", recoveryCodes[0])).toBeDefined();
  });

  test("who has passkeys alone adds a password and an app, and gets recovery codes", async () => {
    const { person } = await enrolled(people, "iris");
    await people.directory.removeCredentials(person.id);
    const { path } = await people.links.make(person.id, "enrol");
    const browser = new Browser();
    const link = await browser.get(origin + path);
    const passkey = new SoftAuthenticator(origin).create(optionsOf(await link.clone().text()));
    await browser.submit(link, { how: "passkey", passkey });
    const form = await browser.get(`${origin}/account/password`);
    const secret = /secret=([A-Z2-7]+)/.exec(await form.clone().text())?.[1] ?? "";
    const fields = { what: "password", password: LONG_PASSWORD, again: LONG_PASSWORD };
    // The app cannot be left out.
    const half = await submit(browser, form, fields);
    expect(half.status).toBe(422);
    const done = await submit(browser, half, { ...fields, code: codeOf(secret) });
    const [code = ""] = /(\w{4}-){3}\w{4}/.exec(await done.text()) ?? [];
    expect(await attempt("iris", code)).toBeDefined();
  });
});
