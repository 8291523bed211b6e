import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import type { Browser } from "playwright-core";
import { StoredPeople } from "../../../server/people/stored-people.ts";
import { checkPage } from "../../support/check-page.ts";
import { freshPage, openChromium } from "../../support/chromium.ts";
import { freePort } from "../../support/free-port.ts";
import {
  authorizationUrl,
  pkce,
  type RunningOAuth,
  registeredClient,
  startOAuth,
} from "../auth/oauth/support.ts";
import { codeOf, ENROLLED, LONG_PASSWORD } from "./support.ts";

const opened = await openChromium();
if (typeof opened === "string")
  test(`people cannot enrol: ${opened}`, () => expect(process.env.CI).not.toBe("true"));
else describe("people in Chromium", () => enrolments(opened));

function enrolments(browser: Browser) {
  let running: RunningOAuth;
  let people: StoredPeople;
  let origin: string;
  beforeAll(async () => {
    const port = await freePort();
    // Passkeys belong to a name, not to an address.
    origin = `http://localhost:${port}`;
    running = await startOAuth({ stored: true, port, env: { PUBLIC_URL: origin } });
    people = new StoredPeople(running.server.store, origin);
  });
  afterAll(async () => {
    await browser.close();
    await running?.app.close();
  });

  async function link(login: string): Promise<string> {
    const person = await people.directory.add({ ...ENROLLED, login });
    return origin + (await people.links.make(person.id, "enrol")).path;
  }

  async function signInUrl(): Promise<string> {
    const client = await registeredClient(origin);
    return authorizationUrl(origin, client, { code_challenge: pkce().challenge });
  }

  test("a person enrols with a passkey, signs in with it in another session, and is asked for consent", async () => {
    const page = await freshPage(browser);
    const cdp = await page.context().newCDPSession(page);
    await cdp.send("WebAuthn.enable");
    const options = {
      protocol: "ctap2",
      transport: "internal",
      hasResidentKey: true,
      hasUserVerification: true,
    } as const;
    const made = { ...options, isUserVerified: true, automaticPresenceSimulation: true };
    await cdp.send("WebAuthn.addVirtualAuthenticator", { options: made });
    await page.goto(await link("ada"));
    await page.getByRole("button", { name: "Create a passkey" }).click();
    await page.getByRole("heading", { name: "You are signed in" }).waitFor();
    await page.context().clearCookies();
    await page.goto(await signInUrl());
    await page.getByRole("button", { name: "Sign in with a passkey" }).click();
    await page.getByRole("button", { name: "Allow" }).waitFor();

    // The account, with a name from right to left and another that does not end.
    await page.goto(`${origin}/account/password`);
    await checkPage(page, "account-password");
    await page.goto(`${origin}/account/passkey`);
    await checkPage(page, "account-passkey");
    await cdp.send("WebAuthn.addVirtualAuthenticator", { options: { ...made, transport: "usb" } });
    await page.getByLabel("Name").fill("مفتاح الهاتف المحمول");
    await page.getByRole("button", { name: "Create a passkey" }).click();
    await page.getByText("The passkey was added.").waitFor();
    await page.getByText("Rename").last().click();
    await page.getByLabel("New name").last().fill("W".repeat(60));
    await page.getByRole("button", { name: "Save" }).last().click();
    await page.getByText("The passkey was renamed.").waitFor();
    await checkPage(page, "account-passkeys");
    await page.getByRole("button", { name: `Remove: ${"W".repeat(60)}` }).click();
    await page.getByText("Your only way to sign in").waitFor();
    expect(page.problems).toEqual([]);
  });

  test("a person enrols with a password, and signs in with it and a recovery code", async () => {
    const page = await freshPage(browser);
    const enrolment = await link("grace");
    await page.goto(enrolment);
    await checkPage(page, "enrol");
    const secret = (await page.locator("code").first().innerText()).replaceAll(" ", "");
    await page.getByLabel("Password", { exact: true }).fill(LONG_PASSWORD);
    await page.getByLabel("Password again").fill(LONG_PASSWORD);
    await page.getByLabel("Code that the app shows").fill(codeOf(secret));
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByRole("heading", { name: "Your recovery codes" }).waitFor();
    await checkPage(page, "recovery-codes");
    const [code = ""] = (await page.locator("code").first().innerText()).split("\n");
    await page.context().clearCookies();
    await page.goto(await signInUrl());
    await page.getByLabel("Login").fill("grace");
    await page.getByLabel("Password").fill(LONG_PASSWORD);
    await page.getByLabel(/One-time code/).fill(code);
    await page.getByRole("button", { name: "Sign in", exact: true }).click();
    await page.getByRole("button", { name: "Allow" }).waitFor();
    expect(page.problems).toEqual([]);
    await page.goto(enrolment);
    expect(await page.getByRole("alert").textContent()).toContain("was used, or has expired");
    await checkPage(page, "expired-link");
    await page.goto(`${origin}/sign-in/expired`);
    await checkPage(page, "expired-sign-in");
  });
}
