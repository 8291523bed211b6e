import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, jest, test } from "@jest/globals";
import { TotalsCounter } from "../../../server/metrics/totals.ts";
import { sendStatus } from "../../../server/status/events.ts";
import { History } from "../../../server/status/history.ts";
import { ADA, connect, list, type RunningOAuth, startOAuth, TestPeople } from "../auth/oauth/support.ts";
import { makeToken } from "../auth/support.ts";
import { eventually, type RunningApp, startApp, temporaryFolder } from "../support.ts";
import { stopTimers } from "../timers.ts";
import { writeHour } from "./support.ts";

/** As the edge sends a request on. */
const REMOTE = { "x-forwarded-for": "192.0.2.1" };
const PAGE = { ...REMOTE, accept: "text/html" };
const PATHS = ["/status", "/status.json", "/status/events"];

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
beforeAll(async () => {
  folder = await temporaryFolder();
});
afterAll(() => folder.remove());

describe("with tokens", () => {
  let running: RunningApp;
  let env: Record<string, string>;
  beforeAll(async () => {
    env = {
      WORKSPACE_DIR: folder.path,
      TOKENS_FILE: join(folder.path, "tokens.json"),
      AUTH_MODE: "token",
      ...(await writeHour(join(folder.path, "status"))),
    };
    running = await startApp(env);
    // No step ends between two requests that are compared.
    stopTimers();
    await running.app.start();
    jest.useRealTimers();
  });
  afterAll(async () => running[Symbol.asyncDispose]());

  const get = (path: string, headers: Record<string, string>) => fetch(running.origin + path, { headers });

  test.each(PATHS)("%s needs a token with the scope ops", async (path) => {
    expect((await get(path, PAGE)).status).toBe(401);
    const { token } = await makeToken(env);
    const refused = await get(path, { ...REMOTE, authorization: `Bearer ${token}` });
    expect([refused.status, await refused.text()]).toEqual([403, expect.stringContaining("scope ops")]);
    const operator = await makeToken(env, "--scopes", "ops");
    const answer = await get(path, { ...REMOTE, authorization: `Bearer ${operator.token}` });
    expect(answer.status).toBe(200);
    await answer.body?.cancel();
  });

  test("the page has the newest figures as text and the hour as a table; scripts get JSON", async () => {
    const page = await get("/status", { accept: "text/html" });
    expect(page.headers.get("content-security-policy")).toMatch(
      /^default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self';/,
    );
    expect(page.headers.get("cache-control")).toBe("no-store");
    const text = await page.text();
    expect(text).toContain("60 days left");
    expect(text.match(/<tr>/g)?.length).toBeGreaterThan(8);
    const json = await (await get("/status", { accept: "application/json" })).json();
    expect(json).toMatchObject({
      stepSeconds: 10,
      points: expect.any(Array),
      certificate: { to: expect.any(String) },
    });
    expect(await (await get("/status.json", {})).json()).toEqual(json);
    for (const [, path = ""] of text.matchAll(/(?:src|href)="(\/assets\/[^"]+)"/g)) {
      const asset = await get(path, {});
      expect([asset.status, asset.headers.get("cache-control")]).toEqual([
        200,
        expect.stringContaining("immutable"),
      ]);
    }
  });

  test("a page with DNS rebinding is refused", async () => {
    for (const url of PATHS) {
      const response = await running.app.http.inject({ url, headers: { host: "evil.example" } });
      expect(response.statusCode).toBe(403);
    }
  });
});

describe("with sign-in", () => {
  let running: RunningOAuth;
  beforeAll(async () => {
    const people = new TestPeople();
    people.people.set(ADA.id, { ...ADA, scopes: ["code:read", "ops"] });
    running = await startOAuth({ people });
  });
  afterAll(() => running.app.close());

  const get = (path: string, headers: Record<string, string>) =>
    fetch(running.origin + path, { headers, redirect: "manual" });

  test("a stranger is sent to the sign-in and back; a person needs the scope ops", async () => {
    const stranger = await get("/status", PAGE);
    expect([stranger.status, stranger.headers.get("location")]).toEqual([303, "/sign-in?to=%2Fstatus"]);
    expect((await get("/status.json", REMOTE)).status).toBe(401);

    const { browser, tokens } = await connect(running.origin);
    const cookie = [...browser.cookies].map(([name, { value }]) => `${name}=${value}`).join("; ");
    const page = await get("/status", { ...PAGE, cookie });
    expect([page.status, await page.text()]).toEqual([200, expect.stringContaining("/account")]);
    // Its client has code:read alone. The cookie does not help a request with a token.
    const bearer = { authorization: `Bearer ${tokens.access_token}`, cookie };
    expect((await get("/status.json", { ...REMOTE, ...bearer })).status).toBe(403);

    running.people.people.set(ADA.id, ADA);
    const refused = await get("/status", { ...PAGE, cookie });
    expect([refused.status, await refused.text()]).toEqual([403, expect.stringContaining("You may not see")]);
    expect((await get("/status/events", { ...REMOTE, cookie })).status).toBe(403);
    expect((await list(running.origin, tokens.access_token)).status).toBe(200);
  });
});

test("the stream of figures sends the hour, then each step, and ends when its reader may see it no more", async () => {
  const counter = new TotalsCounter();
  let now = 1_000_000_000;
  const history = new History({
    totals: () => counter.read(),
    streams: () => 0,
    slot: "",
    release: "dev",
    folder: undefined,
    machineFile: undefined,
    now: () => now,
    onProblem: () => undefined,
  });
  let allowed = true;
  const sent: string[] = [];
  const ends: string[] = [];
  const stream = {
    send: (text: string) => sent.push(text) > 0,
    end: (reason: string) => void ends.push(reason),
  };
  const unsubscribe = sendStatus(history, stream, async () => allowed);
  now += 10_000;
  await history.tick();
  await eventually(() => sent.length === 2, "a step");
  expect(sent).toEqual([
    expect.stringMatching(/^event: history\ndata: \{.*"points":\[\]\}\n\n$/),
    expect.stringMatching(/^event: points\ndata: \{.*"at":1000010000,.*\}\n\n$/),
  ]);
  allowed = false;
  now += 10_000;
  await history.tick();
  await eventually(() => ends.length > 0, "the end");
  expect([sent.length, ends]).toEqual([2, ["revoked"]]);
  unsubscribe();
  await history.close();
});
