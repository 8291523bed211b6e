import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import type { Browser } from "playwright-core";
import { freshPage, openChromium, screenshots } from "../../../support/chromium.ts";
import { freePort } from "../../../support/free-port.ts";
import {
  authorizationUrl,
  pkce,
  type RunningOAuth,
  registeredClient,
  type Tokens,
  tokenRequest,
} from "../oauth/support.ts";
import { CLIENT, type OpenIdServer, openIdServer } from "./openid-provider.ts";
import { startWith } from "./support.ts";

const ADA = { id: "ada", claims: { name: "Ada", email: "ada@example.com", email_verified: true } };

const opened = await openChromium();
if (typeof opened === "string")
  test(`people cannot sign in with a provider: ${opened}`, () => expect(process.env.CI).not.toBe("true"));
else describe("sign-in with a provider in Chromium", () => signIns(opened));

function signIns(browser: Browser) {
  let upstream: OpenIdServer;
  let running: RunningOAuth;
  let redirect: string;
  /** The client, on a loopback port. */
  const client = createServer((_request, response) => void response.end("<h1>Connected</h1>"));
  beforeAll(async () => {
    const port = await freePort();
    const origin = `http://localhost:${port}`;
    upstream = await openIdServer(`${origin}/sign-in/callback/oidc`, ADA);
    running = await startWith(
      `oidc issuer=${upstream.origin} client=${CLIENT} allow=@example.com label=Example_ID; github client=x allow=user:octocat`,
      { port, env: { PUBLIC_URL: origin } },
    );
    running.origin = origin;
    await new Promise<void>((resolve) => client.listen(0, "127.0.0.1", resolve));
    redirect = `http://127.0.0.1:${(client.address() as AddressInfo).port}/callback`;
  });
  afterAll(async () => {
    await browser.close();
    client.close();
    client.closeAllConnections();
    await running?.app.close();
    await upstream?.[Symbol.asyncDispose]();
  });

  test("leads over the provider's pages to a tool call", async () => {
    const { origin } = running;
    const { verifier, challenge } = pkce();
    const id = await registeredClient(origin, redirect);
    const page = await freshPage(browser);
    await page.goto(authorizationUrl(origin, id, { redirect_uri: redirect, code_challenge: challenge }));
    await screenshots(page, "sign-in-providers");
    await page.getByRole("link", { name: "Sign in with Example ID" }).click();
    await page.getByText("Ada (oidc:ada@example.com)").waitFor();
    await page.getByRole("button", { name: "Allow" }).click();
    await page.getByRole("heading", { name: "Connected" }).waitFor();
    const code = new URL(page.url()).searchParams.get("code") ?? "";
    const grant = { grant_type: "authorization_code", client_id: id, code };
    const answer = await tokenRequest(origin, { ...grant, redirect_uri: redirect, code_verifier: verifier });
    const { access_token } = (await answer.json()) as Tokens;
    const called = await fetch(`${origin}/api/tools/list_repos`, {
      method: "POST",
      headers: { authorization: `Bearer ${access_token}`, "content-type": "application/json" },
      body: "{}",
    });
    expect(called.status).toBe(200);
    await page.goto(`${origin}/account`);
    expect(await page.innerText("main")).toContain("oidc:ada@example.com");
    expect(page.problems).toEqual([]);
  });

  test("a person who is refused is told why, and gets in with another account", async () => {
    upstream.account = { id: "eve", claims: { name: "Eve", email: "eve@example.net", email_verified: true } };
    const page = await freshPage(browser);
    await page.goto(`${running.origin}/account`);
    await page.getByRole("link", { name: "Sign in with Example ID" }).click();
    await page.getByText("You are signed in at Example ID as eve@example.net").waitFor();
    await screenshots(page, "sign-in-refused");
    await page.getByRole("link", { name: "Sign in another way" }).click();
    await page.getByRole("link", { name: "Sign in with Example ID" }).click();
    // The provider's own session is still Eve's.
    upstream.account = ADA;
    await page.getByText("You are signed in at Example ID as eve@example.net").waitFor();
    await page.getByRole("link", { name: "Use another account" }).click();
    await page.getByText("Signed in as").waitFor();
    expect(await page.innerText("main")).toContain("oidc:ada@example.com");
  });
}
