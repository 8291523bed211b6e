import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { decodeJwt, decodeProtectedHeader } from "jose";
import { ADA, connect, list, type RunningOAuth, refresh, startOAuth } from "./support.ts";

let running: RunningOAuth;
beforeAll(async () => {
  running = await startOAuth();
});
afterAll(() => running.app.close());

test("a person signs in, allows a client, and its token calls", async () => {
  const { origin } = running;
  const { client, tokens } = await connect(origin);
  expect(tokens).toMatchObject({ scope: "code:read", expires_in: 3600, token_type: "Bearer" });
  expect(decodeProtectedHeader(tokens.access_token)).toMatchObject({ alg: "ES256", typ: "at+jwt" });
  const claims = decodeJwt(tokens.access_token);
  expect(claims).toMatchObject({ iss: origin, aud: `${origin}/mcp`, sub: ADA.id, client_id: client });
  const response = await list(origin, tokens.access_token);
  expect(response.status).toBe(200);
  expect(await response.text()).toContain("read_file");
  const again = await refresh(origin, client, tokens.refresh_token);
  expect(again.status).toBe(200);
});
