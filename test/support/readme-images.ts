import { mkdirSync } from "node:fs";
import { request } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { StoredPeople } from "../../server/people/stored-people.ts";
import { createAuthority } from "../cli/http3/servers/certificates.ts";
import { authorizationUrl, pkce, startOAuth } from "../server/auth/oauth/support.ts";
import { openChromium } from "./chromium.ts";
import { freePort } from "./free-port.ts";

/**
 * Makes the images of README.md (`npm run readme-images`): the pages of the real server in Debian's Chromium, under the address
 * https://mcp.example.com, as Claude.ai sends a person there.
 */
const HOST = "mcp.example.com";
const ORIGIN = `https://${HOST}`;
const IMAGES = join(import.meta.dirname, "../../docs/images");
const CLAUDE = "https://claude.ai/oauth/mcp-oauth-client-metadata";

/** What NGINX does on a machine: TLS, and the headers that say so. */
function proxy(port: number) {
  const authority = createAuthority();
  const server = createServer(authority.issue(HOST), (incoming, answer) => {
    const headers = {
      ...incoming.headers,
      host: HOST,
      "x-forwarded-proto": "https",
      "x-forwarded-host": HOST,
    };
    const { method, url: path } = incoming;
    const call = request({ host: "127.0.0.1", port, method, path, headers }, (response) => {
      answer.writeHead(response.statusCode ?? 502, response.headers);
      response.pipe(answer);
    });
    call.on("error", () => answer.destroy());
    incoming.pipe(call);
  });
  return { server, authority };
}

async function save(page: Page, name: string): Promise<void> {
  await page.mouse.move(0, 0);
  await page.screenshot({ path: join(IMAGES, `${name}.png`) });
}

const port = await freePort();
const running = await startOAuth({ stored: true, port, env: { PUBLIC_URL: ORIGIN, LOG_LEVEL: "silent" } });
const people = new StoredPeople(running.server.store, ORIGIN);
const owner = await people.directory.add({
  login: "owner",
  name: "Owner",
  groups: [],
  scopes: ["code:read", "ops"],
});
const link = async (purpose: "enrol" | "sign-in") =>
  ORIGIN + (await people.links.make(owner.id, purpose)).path;

const { server, authority } = proxy(port);
await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
const chromium = await openChromium([
  `--host-resolver-rules=MAP ${HOST} 127.0.0.1:${(server.address() as AddressInfo).port}`,
]);
if (typeof chromium === "string") throw new Error(chromium);
try {
  mkdirSync(IMAGES, { recursive: true });
  const context = await chromium.newContext({
    ignoreHTTPSErrors: true,
    colorScheme: "light",
    viewport: { width: 1280, height: 800 },
  });
  const page = await context.newPage();
  await page.route("https://claude.ai/**", (route) => route.fulfill({ body: "Connected" }));

  await page.goto(await link("enrol"));
  await save(page, "enrol");
  const redirect = "https://claude.ai/api/mcp/auth_callback";
  const authorize = authorizationUrl(ORIGIN, CLAUDE, {
    code_challenge: pkce().challenge,
    redirect_uri: redirect,
  });
  await page.goto(authorize);
  await save(page, "sign-in");
  await page.goto(await link("sign-in"));
  await page.goto(authorize);
  await save(page, "consent");
  await page.getByRole("button", { name: "Allow" }).click();
  await page.waitForURL(`${redirect}*`);
  await page.goto(ORIGIN);
  await save(page, "landing");
} finally {
  await chromium.close();
  server.closeAllConnections();
  server.close();
  authority.remove();
  await running.app.close();
}
