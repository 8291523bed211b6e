import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import type { Browser, Page } from "playwright-core";
import { StoredPeople } from "../../../../server/people/stored-people.ts";
import { openChromium, PAGE_MS } from "../../../support/chromium.ts";
import { ENROLLED } from "../../people/support.ts";
import {
  ADA,
  authorizationUrl,
  list,
  PASSWORD,
  pkce,
  REDIRECT,
  type RunningOAuth,
  startOAuth,
  type Tokens,
  tokenRequest,
} from "./support.ts";

const DOCUMENT = "https://client.example.com/client.json";

const opened = await openChromium();
if (typeof opened === "string")
  test(`a client with a document cannot be connected: ${opened}`, () =>
    expect(process.env.CI).not.toBe("true"));
else describe("a client with a metadata document, in Chromium", () => flows(opened));

function flows(browser: Browser) {
  let running: RunningOAuth;
  let page: Page;
  beforeAll(async () => {
    const body = { client_id: DOCUMENT, client_name: "Assistant", redirect_uris: [REDIRECT] };
    running = await startOAuth({ fetch: async () => Response.json(body) });
    page = await browser.newPage();
    page.setDefaultTimeout(PAGE_MS);
    await page.route(`${REDIRECT}*`, (route) => route.fulfill({ body: "the client" }));
  });
  afterAll(async () => {
    await browser.close();
    await running?.app.close();
  });

  const main = () => page.getByRole("main").textContent();

  /** Opens the consent page; signs in where that is asked for. @returns the verifier of the code */
  async function openConsent(): Promise<string> {
    const { challenge, verifier } = pkce();
    await page.goto(authorizationUrl(running.origin, DOCUMENT, { code_challenge: challenge }));
    if ((await page.getByLabel("Password").count()) > 0) {
      await page.getByLabel("Login").fill("ada");
      await page.getByLabel("Password").fill(PASSWORD);
      await page.getByLabel("One-time code").fill("123456");
      await page.keyboard.press("Enter");
    }
    await page.getByRole("button", { name: "Allow" }).waitFor();
    return verifier;
  }

  test("the person is shown its proven host, allows it, and revokes it", async () => {
    const verifier = await openConsent();
    expect(await main()).toContain("client.example.com");
    expect(await main()).not.toContain("Not verified.");
    await page.getByRole("button", { name: "Allow" }).click();
    await page.waitForURL(`${REDIRECT}*`);
    const response = await tokenRequest(running.origin, {
      grant_type: "authorization_code",
      client_id: DOCUMENT,
      code: new URL(page.url()).searchParams.get("code") ?? "",
      redirect_uri: REDIRECT,
      code_verifier: verifier,
    });
    const { access_token } = (await response.json()) as Tokens;
    expect((await list(running.origin, access_token)).status).toBe(200);

    await page.goto(`${running.origin}/account`);
    await page.getByRole("button", { name: "End access: Assistant" }).click();
    await page.getByText("No client may act in your name.").waitFor();
    await running.server.refresh();
    expect((await list(running.origin, access_token)).status).toBe(401);
  });

  test("a consent that has expired allows nothing and says what to do", async () => {
    await openConsent();
    const { store } = running.server;
    for (const { id } of await store.list("Interaction")) await store.remove("Interaction", id);
    await page.getByRole("button", { name: "Allow" }).click();
    await page.getByRole("alert").waitFor();
    expect(await page.getByRole("alert").textContent()).toContain("expired");
    expect(new URL(page.url()).origin).toBe(running.origin);
    expect(await running.server.connections.list(ADA.id)).toEqual([]);
  });

  test("an enrolment link that has expired or was used says how to get a new one", async () => {
    await using stored = await startOAuth({ stored: true });
    const people = new StoredPeople(stored.server.store, stored.origin);
    const person = await people.directory.add({ ...ENROLLED, login: "grace" });
    const { path } = await people.links.make(person.id, "enrol");
    await people.links.use(path.slice("/enrol?link=".length), "enrol");
    await page.goto(stored.origin + path);
    expect(await main()).toContain("user reset LOGIN");
    expect(await page.getByLabel("Password").count()).toBe(0);
  });
}
