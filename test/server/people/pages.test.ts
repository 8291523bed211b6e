import { afterAll, afterEach, beforeAll, expect, jest, test } from "@jest/globals";
import { StoredPeople } from "../../../server/people/stored-people.ts";
import {
  allow,
  authorizationUrl,
  Browser,
  pkce,
  type RunningOAuth,
  registeredClient,
  startOAuth,
} from "../auth/oauth/support.ts";
import { SoftAuthenticator } from "./authenticator.ts";
import { codeOf, ENROLLED, enrolled, LONG_PASSWORD } from "./support.ts";

let running: RunningOAuth;
let people: StoredPeople;
let client: string;
beforeAll(async () => {
  running = await startOAuth({ stored: true });
  people = new StoredPeople(running.server.store, running.origin);
  client = await registeredClient(running.origin);
});
afterAll(() => running.app.close());
afterEach(() => {
  jest.restoreAllMocks();
});

/** Stops the clock of the servers that start after this: a delay does not pass on a slow host. */
function stopClock(): void {
  const now = Date.now();
  jest.spyOn(Date, "now").mockReturnValue(now);
}

const unescaped = (html: string) => html.replace(/&#(\d+);/g, (_, code) => String.fromCharCode(Number(code)));
const optionsOf = (html: string) => unescaped(/data-options="([^"]*)"/.exec(html)?.[1] ?? "");
const secretOf = (html: string) => /secret=([A-Z2-7]+)/.exec(html)?.[1] ?? "";

/** A new person and the address of their link. */
async function invited(login: string) {
  const person = await people.directory.add({ ...ENROLLED, login });
  const { path } = await people.links.make(person.id, "enrol");
  return { person, url: running.origin + path };
}

/** The sign-in page of a client. */
const start = (browser: Browser) =>
  browser.get(authorizationUrl(running.origin, client, { code_challenge: pkce().challenge }));

const isConsent = async (page: Response) => (await page.text()).includes('value="allow"');

const passwordForm = (secret: string, more: Record<string, string> = {}) => ({
  how: "password",
  password: LONG_PASSWORD,
  again: LONG_PASSWORD,
  code: codeOf(secret),
  ...more,
});

test("enrolment with a password: recovery codes once, the browser is signed in, the link is used up", async () => {
  const { person, url } = await invited("ada");
  const browser = new Browser();
  const page = await browser.get(url);
  expect(page.headers.get("content-security-policy")).toMatch(/script-src 'self'.*form-action 'self'/);
  expect(page.headers.get("referrer-policy")).toBe("same-origin");
  expect(page.headers.get("cache-control")).toBe("no-store");
  const secret = secretOf(await page.clone().text());
  const form = passwordForm(secret);
  const done = await browser.submit(page, form);
  expect(done.status).toBe(200);
  const [recovery = ""] = /(\w{4}-){3}\w{4}/.exec(await done.text()) ?? [];
  expect(running.events).toContainEqual(
    expect.objectContaining({ type: "sign-in", person: person.id, how: "enrolment" }),
  );
  expect(await isConsent(await start(browser))).toBe(true);
  for (const visitor of [browser, new Browser()]) expect((await visitor.get(url)).status).toBe(410);

  // The code of the enrolment is used up; a recovery code works, once.
  const other = new Browser();
  const reused = await other.submit(await start(other), {
    login: "ada",
    password: LONG_PASSWORD,
    code: form.code,
    action: "sign-in",
  });
  expect(reused.status).toBe(401);
  const recover = (visitor: Browser, sign: Response) =>
    visitor.submit(sign, { login: "ada", password: LONG_PASSWORD, code: recovery, action: "sign-in" });
  expect(await isConsent(await recover(other, reused))).toBe(true);
  const third = new Browser();
  expect((await recover(third, await start(third))).status).toBe(401);
  const everything = JSON.stringify(running.events) + running.logs.join("");
  for (const one of [LONG_PASSWORD, secret, recovery, url.split("=").at(-1) ?? ""])
    expect(everything).not.toContain(one);
});

test.each([
  ["a short password", { password: "short", again: "short" }, /at least 10/],
  ["two passwords", { again: "another password" }, /not the same/],
  ["a wrong code", { code: "000000" }, /newest code/],
  ["no passkey", { how: "passkey", passkey: "{}" }, /could not be checked/],
  ["an oversized passkey", { how: "passkey", passkey: "x".repeat(20_000) }, /could not be checked/],
])("enrolment with %s is refused, and the link still works", async (name, more, problem) => {
  const { url } = await invited(`p-${name.replaceAll(" ", "-")}`);
  const browser = new Browser();
  const page = await browser.get(url);
  const secret = secretOf(await page.clone().text());
  const refused = await browser.submit(page, passwordForm(secret, more as Record<string, string>));
  expect(refused.status).toBe(422);
  expect(await refused.clone().text()).toMatch(problem);
  expect((await browser.submit(refused, passwordForm(secret))).status).toBe(200);
});

test("a form from another page, or of another browser, enrols nobody", async () => {
  const { url } = await invited("eve");
  const browser = new Browser();
  const page = await browser.get(url);
  const secret = secretOf(await page.clone().text());
  expect((await browser.post(url, passwordForm(secret, { csrf: "x" }))).status).toBe(403);
  expect((await new Browser().submit(page, passwordForm(secret))).status).toBe(403);
});

test("a link ends with a reset, and with the person", async () => {
  const { person, url } = await invited("gone");
  await people.directory.removeCredentials(person.id);
  expect((await new Browser().get(url)).status).toBe(410);
  const again = running.origin + (await people.links.make(person.id, "enrol")).path;
  await people.directory.remove(person);
  expect((await new Browser().get(again)).status).toBe(410);
  expect((await new Browser().get(`${running.origin}/enrol?link=${"x".repeat(90)}`)).status).toBe(410);
});

test("a passkey: enrolment and sign-in, and not twice with one answer", async () => {
  const { person, url } = await invited("grace");
  const authenticator = new SoftAuthenticator(running.origin);
  const page = await new Browser().get(url);
  const first = new Browser();
  const form = await first.get(url);
  expect(page.status).toBe(200);
  const passkey = authenticator.create(optionsOf(await form.clone().text()));
  const done = await first.submit(form, { how: "passkey", passkey });
  expect([done.status, await done.text()]).toEqual([200, expect.stringContaining("You are signed in")]);

  const browser = new Browser();
  const sign = await start(browser);
  const answer = authenticator.get(optionsOf(await sign.clone().text()));
  const other = new Browser();
  const stolen = await other.submit(await start(other), { passkey: answer });
  expect(stolen.status).toBe(401);
  expect(await isConsent(await browser.submit(sign, { passkey: answer }))).toBe(true);
  expect(running.events).toContainEqual(
    expect.objectContaining({ type: "sign-in", person: person.id, how: "passkey", client }),
  );

  // Without user verification it is one factor.
  authenticator.flags = 1;
  const weak = new Browser();
  const again = await start(weak);
  const unverified = authenticator.get(optionsOf(await again.clone().text()));
  expect((await weak.submit(again, { passkey: unverified })).status).toBe(401);

  authenticator.flags = 5;
  await people.directory.remove(person);
  const removed = new Browser();
  const last = await start(removed);
  const late = authenticator.get(optionsOf(await last.clone().text()));
  expect((await removed.submit(last, { passkey: late })).status).toBe(401);
});

test("a sign-in link signs one browser in, once", async () => {
  const person = await people.directory.add({ ...ENROLLED, login: "doctor" });
  const { path } = await people.links.make(person.id, "sign-in");
  const browser = new Browser();
  expect((await browser.get(running.origin + path)).status).toBe(200);
  expect((await new Browser().get(running.origin + path)).status).toBe(410);
  const url = authorizationUrl(running.origin, client, { code_challenge: pkce().challenge });
  expect((await allow(browser, url)).searchParams.get("code")).toBeTruthy();
});

test("the delay of guesses is an event and says how long it is", async () => {
  stopClock();
  await using other = await startOAuth({ stored: true });
  const { secret } = await enrolled(new StoredPeople(other.server.store, other.origin), "ida");
  const visited = await registeredClient(other.origin);
  const url = authorizationUrl(other.origin, visited, { code_challenge: pkce().challenge });
  const browser = new Browser();
  let page = await browser.get(url);
  for (let n = 0; n < 5; n++)
    page = await browser.submit(page, { login: "ida", password: "guess", code: "1", action: "sign-in" });
  const right = { login: "ida", password: LONG_PASSWORD, code: codeOf(secret), action: "sign-in" };
  const locked = await browser.submit(page, right);
  expect([locked.status, await locked.text()]).toEqual([429, expect.stringContaining("Wait 2 seconds")]);
  expect(other.events).toContainEqual(
    expect.objectContaining({
      type: "sign-in.refused",
      login: "ida",
      reason: expect.stringContaining("Wait"),
    }),
  );
});

test("a flood of sign-ins from the victim's own network does not delay the victim's browser", async () => {
  stopClock();
  await using other = await startOAuth({ stored: true });
  const there = new StoredPeople(other.server.store, other.origin);
  const { secret, recoveryCodes, person } = await enrolled(there, "joan");
  const url = authorizationUrl(other.origin, await registeredClient(other.origin), {
    code_challenge: pkce().challenge,
  });
  const form = { login: "joan", password: LONG_PASSWORD, action: "sign-in" };
  const victim = new Browser();
  const signedIn = await victim.submit(await victim.get(url), { ...form, code: recoveryCodes[0] ?? "" });
  expect(await isConsent(signedIn)).toBe(true);

  const attacker = new Browser();
  let page = await attacker.get(url);
  const fake = { ...form, password: "guess", code: "1" };
  const csrf = /name="csrf" value="([^"]+)"/.exec(await page.clone().text())?.[1] ?? "";
  const target = page.url;
  for (let n = 0; n < 12; n++) page = await attacker.post(target, { ...fake, csrf });
  expect(page.status).toBe(429);

  for (const name of victim.cookies.keys()) if (!name.endsWith("_browser")) victim.cookies.delete(name);
  const again = await victim.submit(await victim.get(url), { ...form, code: codeOf(secret) });
  expect(await isConsent(again)).toBe(true);

  // A known browser guesses no faster than a network, and a reset makes it unknown.
  await there.directory.removeCredentials(person.id);
  const cookie = victim.cookies.get("mcp_edge_browser")?.value ?? "";
  expect(await there.knownBrowser(cookie, "joan")).toBeUndefined();
});

test("a flood from the victim's own network uses up neither a passkey's attempts nor an enrolment link's", async () => {
  await using other = await startOAuth({ stored: true });
  const there = new StoredPeople(other.server.store, other.origin);
  const person = await there.directory.add({ ...ENROLLED, login: "grace" });
  const { path } = await there.links.make(person.id, "enrol");
  const url = authorizationUrl(other.origin, await registeredClient(other.origin), {
    code_challenge: pkce().challenge,
  });
  /** Repeats it until it is refused for its number. */
  const flood = async (attempt: () => Promise<Response>) => {
    for (let n = 0; n < 60; n++) if ((await attempt()).status === 429) return;
    throw new Error("60 attempts were answered");
  };
  await flood(() => new Browser().get(`${other.origin}/enrol?link=guess`));
  const attacker = new Browser();
  const page = await attacker.get(url);
  const csrf = /name="csrf" value="([^"]+)"/.exec(await page.text())?.[1] ?? "";
  const post = (form: Record<string, string>) =>
    attacker.post(page.url, { csrf, action: "sign-in", ...form });
  let guessed = 0;
  await flood(() => post({ login: `guess${guessed++}`, password: "guess" }));
  await flood(() => post({ passkey: "guess" }));

  const browser = new Browser();
  const authenticator = new SoftAuthenticator(other.origin);
  const enrol = await browser.get(other.origin + path);
  const passkey = authenticator.create(optionsOf(await enrol.clone().text()));
  expect((await browser.submit(enrol, { how: "passkey", passkey })).status).toBe(200);
  const elsewhere = new Browser();
  const sign = await elsewhere.get(url);
  const answer = authenticator.get(optionsOf(await sign.clone().text()));
  expect(await isConsent(await elsewhere.submit(sign, { passkey: answer }))).toBe(true);
});
