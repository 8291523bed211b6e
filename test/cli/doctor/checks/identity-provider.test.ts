import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { identityProviderCheck } from "../../../../cli/doctor/checks/mcp/identity-provider.ts";
import { type Authority, createAuthority } from "../../http3/servers/certificates.ts";
import { examine, tlsServer } from "../fixture.ts";

let authority: Authority;
let answer: { status: number; body: string };
const provider = createServer((_request, response) => {
  response.writeHead(answer.status, { "content-type": "application/json" }).end(answer.body);
});
let issuer = "";
beforeAll(async () => {
  authority = createAuthority();
  await new Promise<void>((resolve) => provider.listen(0, "127.0.0.1", resolve));
  issuer = `http://127.0.0.1:${(provider.address() as AddressInfo).port}`;
});
afterAll(async () => {
  authority.remove();
  await new Promise((resolve) => provider.close(resolve));
});

/** Examines a machine whose own check of the provider has this result. */
async function check(ok: boolean | undefined) {
  const checks = ok === undefined ? {} : { "identity-oidc": { ok } };
  const server = await tlsServer(authority.issue("edge.test"), {
    "/readyz": (request, response) => {
      request.resume();
      response.end(JSON.stringify({ ready: true, checks }));
    },
  });
  const redirectUri = "https://edge.test/sign-in/callback/oidc";
  const url = `${issuer}/.well-known/openid-configuration`;
  try {
    const asked = [identityProviderCheck({ provider: "oidc", url, issuer, redirectUri })];
    return (await examine([], server, { ca: authority.ca, checks: asked }))[0];
  } finally {
    await server.close();
  }
}

test("names the redirect URI to register where the provider answers here and to the machine", async () => {
  answer = { status: 200, body: JSON.stringify({ issuer: `${issuer}/` }) };
  expect(await check(true)).toMatchObject({
    ok: true,
    got: "it answers; registered there must be https://edge.test/sign-in/callback/oidc",
  });
});

test.each([
  [503, "{}", true, "answers 503"],
  [200, "<html>", true, "there is no metadata"],
  [
    200,
    JSON.stringify({ issuer: "https://other.example" }),
    true,
    "is of another issuer: https://other.example",
  ],
  [200, "ISSUER", false, "it answers here, but not to the machine"],
])("%#: fails and says what is wrong", async (status, body, ok, got) => {
  answer = { status, body: body === "ISSUER" ? JSON.stringify({ issuer }) : body };
  expect(await check(ok)).toMatchObject({ ok: false, got: expect.stringContaining(got) });
});
