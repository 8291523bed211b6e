import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { ADA, Browser, connect, type RunningOAuth, startOAuth } from "./support.ts";

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
  expect(await (await new Browser().post(url, { action, csrf })).text()).toContain(
    "Nobody is signed in here",
  );
  expect(await server.connections.list(ADA.id)).toHaveLength(2);

  const page = await browser.submit(await browser.get(url), { action });
  expect(page.status).toBe(200);
  expect((await server.connections.list(ADA.id)).map((one) => one.grant)).not.toContain(grant);
  expect(page.headers.get("cache-control")).toBe("no-store");
});
