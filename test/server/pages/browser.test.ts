import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { checkPage } from "../../support/check-page.ts";
import { openChromium, PAGE_MS } from "../../support/chromium.ts";
import {
  authorizationUrl,
  PASSWORD,
  pkce,
  type RunningOAuth,
  register,
  startOAuth,
  tokenRequest,
} from "../auth/oauth/support.ts";

const REDIRECT = "https://client.example.com/callback";
const LOCAL = "http://127.0.0.1:49152/callback";

/** Resolves when the page shows the word. */
const SAYS_COPIED = `new Promise((said) => {
  new MutationObserver(() => document.body.innerText.includes("Copied") && said())
    .observe(document.body, { subtree: true, childList: true, characterData: true });
})`;

const opened = await openChromium();

if (typeof opened === "string") {
  test(`the pages cannot be shown: ${opened}`, () => expect(process.env.CI).not.toBe("true"));
} else {
  describe("the pages in Chromium", () => pages(opened));
}

function pages(browser: Browser) {
  let running: RunningOAuth;
  let context: BrowserContext;
  let page: Page;
  const violations: string[] = [];

  beforeAll(async () => {
    running = await startOAuth();
    context = await browser.newContext();
    page = await context.newPage();
    page.setDefaultTimeout(PAGE_MS);
    page.on("console", (message) => message.type() === "error" && violations.push(message.text()));
    await page.route(`${REDIRECT}*`, (route) => route.fulfill({ body: "the client" }));
  });
  afterAll(async () => {
    await browser.close();
    await running?.app.close();
  });

  const check = (name: string) => checkPage(page, name);

  async function authorize(redirect: string, name: string) {
    const response = await register(running.origin, {
      client_name: name,
      redirect_uris: [redirect],
      token_endpoint_auth_method: "none",
    });
    const { client_id } = (await response.json()) as { client_id: string };
    const { challenge, verifier } = pkce();
    const more = { code_challenge: challenge, redirect_uri: redirect };
    await page.goto(authorizationUrl(running.origin, client_id, more));
    return { client_id, verifier };
  }

  test("the landing page", async () => {
    await page.goto(running.origin);
    expect(await page.title()).toBe("mcp-edge");
    expect(await page.evaluate("document.styleSheets.length")).toBe(1);
    await check("landing");
    await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
    const copy = page.getByRole("button", { name: "Copy the set-up of Claude Code" });
    // The word stands for two seconds only.
    const said = page.evaluate(SAYS_COPIED);
    await copy.press("Enter");
    await said;
    const copied = "navigator.clipboard.readText()";
    expect(await page.evaluate(copied)).toMatch(/^claude mcp add --transport http mcp-edge http/);
  });

  test("the description of the HTTP API", async () => {
    await page.goto(`${running.origin}/api`);
    expect(await page.getByRole("heading", { level: 2, name: "read_file" }).count()).toBe(1);
    await check("api");
  });

  test("without a script the landing page has its set-up as text that a click selects, and no dead button", async () => {
    const plain = await (await browser.newContext({ javaScriptEnabled: false })).newPage();
    await plain.goto(running.origin);
    expect(await plain.getByRole("button").count()).toBe(0);
    await plain.getByLabel("Set-up of Claude Code").click();
    expect(await plain.evaluate("String(getSelection())")).toContain("claude mcp add");
    await plain.context().close();
  });

  test("a client that registered itself: sign-in, wrong password, consent, code", async () => {
    const { client_id, verifier } = await authorize(REDIRECT, "Notebook <b>");
    await check("sign-in");
    await page.getByLabel("Login").fill("ada");
    await page.getByLabel("Password").fill("wrong");
    await page.getByLabel("One-time code").fill("123456");
    await page.keyboard.press("Enter");
    expect(await page.getByRole("alert").textContent()).toContain("is wrong");
    await check("sign-in-wrong");
    await page.getByLabel("Login").fill("ada");
    await page.getByLabel("Password").fill(PASSWORD);
    await page.getByLabel("One-time code").fill("123456");
    await page.keyboard.press("Enter");
    await page.getByRole("button", { name: "Allow" }).waitFor();
    expect(await page.getByRole("heading", { level: 1 }).textContent()).toContain("Notebook <b>");
    expect(await page.getByRole("main").textContent()).toContain("Not verified.");
    await check("consent");
    await page.getByRole("button", { name: "Allow" }).click();
    await page.waitForURL(`${REDIRECT}*`);
    const code = new URL(page.url()).searchParams.get("code") ?? "";
    const tokens = await tokenRequest(running.origin, {
      grant_type: "authorization_code",
      client_id,
      code,
      redirect_uri: REDIRECT,
      code_verifier: verifier,
    });
    expect(tokens.status).toBe(200);
  });

  test("a program on this computer is warned of, and Cancel tells it", async () => {
    await page.route(`${LOCAL}*`, (route) => route.fulfill({ body: "the client" }));
    await authorize(LOCAL, "Terminal");
    expect(await page.getByRole("main").textContent()).toContain("any program here can wait at that address");
    await check("consent-local");
    await page.getByRole("button", { name: "Cancel" }).click();
    await page.waitForURL(`${LOCAL}*`);
    expect(new URL(page.url()).searchParams.get("error")).toBe("access_denied");
  });

  test("the account: the client and this browser; access ends, the browser is signed out", async () => {
    await page.goto(`${running.origin}/account`);
    const main = page.getByRole("main");
    expect(await main.textContent()).toMatch(/Notebook <b>.*This browser/s);
    await check("account");
    await page.getByRole("button", { name: "End access: Notebook <b>" }).click();
    await page.getByText("No client may act in your name.").waitFor();
    expect(await running.server.connections.list("p_ada")).toEqual([]);
    await page.getByRole("button", { name: "Sign out: this browser" }).click();
    await page.getByRole("heading", { name: "Sign in" }).waitFor();
    expect(new URL(page.url()).pathname).toBe("/sign-in");
    await check("sign-in-by-themselves");
  });

  test("a request that cannot be answered, and an expired sign-in", async () => {
    await page.goto(authorizationUrl(running.origin, "client_unknown"));
    await check("error");
    await page.goto(`${running.origin}/sign-in/expired`);
    expect(await page.getByRole("alert").textContent()).toContain("expired");
  });

  test("no page broke its policy", () => {
    expect(violations.filter((text) => /Content Security Policy|Refused to/.test(text))).toEqual([]);
  });
}
