import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, jest, test } from "@jest/globals";
import type { Browser } from "playwright-core";
import { checkPage } from "../../support/check-page.ts";
import { freshPage, openChromium, type WatchedPage } from "../../support/chromium.ts";
import { ADA, PASSWORD, type RunningOAuth, startOAuth, TestPeople } from "../auth/oauth/support.ts";
import { temporaryFolder } from "../support.ts";
import { writeHour } from "./support.ts";

const opened = await openChromium();
if (typeof opened === "string")
  test(`the status cannot be shown: ${opened}`, () => expect(process.env.CI).not.toBe("true"));
else describe("/status in Chromium", () => shown(opened));

function shown(browser: Browser) {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let running: RunningOAuth;
  let page: WatchedPage;
  let machineFile: string;
  beforeAll(async () => {
    folder = await temporaryFolder();
    const people = new TestPeople();
    people.people.set(ADA.id, { ...ADA, scopes: ["code:read", "ops"] });
    const status = await writeHour(join(folder.path, "status"));
    machineFile = status.MACHINE_REPORT;
    running = await startOAuth({ people, env: { WORKSPACE_DIR: folder.path, COLOUR: "blue", ...status } });
    await running.app.start();
    // As the edge sends requests on: a caller on the machine itself needs no sign-in.
    page = await freshPage(browser, { extraHTTPHeaders: { "x-forwarded-for": "192.0.2.1" } });
  });
  afterAll(async () => {
    await browser.close();
    await running?.app.close();
    await folder?.remove();
  });

  test("a person with the scope ops signs in by the keyboard and sees the hour, live", async () => {
    await page.goto(`${running.origin}/status`);
    expect(new URL(page.url()).pathname).toBe("/sign-in");
    // The cursor stands in the first field.
    await page.keyboard.type("ada");
    await page.keyboard.press("Tab");
    await page.keyboard.type(PASSWORD);
    await page.keyboard.press("Tab");
    await page.keyboard.type("123456");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Status" }).waitFor();
    await page.getByText("Live", { exact: true }).waitFor();
    expect(await page.locator(".plot canvas").count()).toBe(8);
    await checkPage(page, "status");

    const { now } = Date;
    const clock = jest.spyOn(Date, "now").mockImplementation(() => now() + 10_000);
    const latest = page.locator("[data-key=bans]");
    try {
      await writeFile(machineFile, JSON.stringify({ at: Math.floor(now() / 1_000), bans: 7 }));
      await latest.getByText("7").waitFor();
    } finally {
      clock.mockRestore();
    }
    await page.getByRole("button", { name: "Pause" }).press("Space");
    expect(await page.getByRole("button", { name: "Pause" }).getAttribute("aria-pressed")).toBe("true");
    expect(page.problems).toEqual([]);
  });

  test("without a script the page is text", async () => {
    const context = await browser.newContext({ javaScriptEnabled: false });
    const plain = await context.newPage();
    await plain.goto(`${running.origin}/status`);
    expect(await plain.locator(".plot").first().isVisible()).toBe(false);
    await plain.getByText("The hour as a table").click();
    expect(await plain.getByRole("row").count()).toBeGreaterThan(8);
    await context.close();
  });
}
