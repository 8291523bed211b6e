import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { tokenDomainCheck } from "../../../../cli/doctor/checks/mcp/token-domain.ts";
import type { Handler } from "../../http3/servers/backend.ts";
import { type Authority, createAuthority } from "../../http3/servers/certificates.ts";
import { examine, type Routes, tlsServer } from "../fixture.ts";

let authority: Authority;
beforeAll(() => {
  authority = createAuthority();
});
afterAll(() => authority.remove());

const answer =
  (status: number, headers: Record<string, string> = {}): Handler =>
  (request, response) => {
    request.resume();
    response.writeHead(status, headers).end();
  };
const mcp =
  (challenge: string): Handler =>
  (request, response) =>
    request.headers.authorization === "Bearer good"
      ? answer(200)(request, response)
      : answer(401, { "www-authenticate": challenge })(request, response);

/** Examines a server that has a certificate for `name` and answers under the second name token.test. */
async function check(routes: Routes, { name = "token.test", token = "good" } = {}) {
  const server = await tlsServer(authority.issue(name), routes);
  try {
    const checks = [tokenDomainCheck("token.test")];
    return (await examine([], server, { ca: authority.ca, checks, token }))[0];
  } finally {
    await server.close();
  }
}

test("passes where nothing leads to the sign-in and the token is accepted", async () => {
  expect(await check({ "/mcp": mcp("Bearer") })).toMatchObject({
    ok: true,
    got: "shows no sign-in, and accepts the token",
  });
});

test.each([
  [
    { "/.well-known/oauth-protected-resource": answer(200) },
    {},
    "oauth-protected-resource answers 200 instead of 404",
  ],
  [{ "/mcp": mcp('Bearer resource_metadata="https://x"') }, {}, "the challenge names resource_metadata"],
  [{ "/mcp": answer(200) }, {}, "status 200 instead of 401 without a token"],
  [{ "/mcp": mcp("Bearer") }, { token: "other" }, "status 401 with the token"],
  [{ "/mcp": mcp("Bearer") }, { name: "edge.test" }, "the certificate is for another name"],
] as [Routes, object, string][])(
  "%#: fails and says what leads a client astray",
  async (routes, options, got) => {
    const result = await check(routes, options);
    expect(result).toMatchObject({ ok: false, got: expect.stringContaining(got), fix: expect.any(String) });
  },
);
