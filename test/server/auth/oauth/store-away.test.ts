import { join } from "node:path";
import { expect, test } from "@jest/globals";
import { PersonCache } from "../../../../server/auth/person-cache.ts";
import { SERVERS, ValkeyServer } from "../../store/valkey.ts";
import { eventuallyAsync, temporaryFolder } from "../../support.ts";
import { makeToken } from "../support.ts";
import { ADA, connect, list, startOAuth, TestPeople } from "./support.ts";

test("a server that starts while Valkey is away takes static tokens, is not ready, and has sign-in when Valkey is back", async () => {
  const folder = await temporaryFolder();
  await using valkey = await ValkeyServer.start(SERVERS[0]);
  await valkey.kill();
  const env = {
    STORE_URL: valkey.url,
    TOKENS_FILE: join(folder.path, "tokens.json"),
    WORKSPACE_DIR: folder.path,
  };
  await using running = await startOAuth({ env });
  const { origin, app } = running;
  const { token } = await makeToken(env);
  expect((await list(origin, token)).status).toBe(200);
  const away = await app.readiness.probe();
  expect([away.ready, away.checks["sign-in"]]).toMatchObject([false, { ok: false, recovers: true }]);
  const refused = await list(origin, "eyJ.an.access-token");
  expect([refused.status, refused.headers.get("retry-after")]).toEqual([503, "5"]);
  const page = await fetch(`${origin}/authorize?client_id=x`, { headers: { accept: "text/html" } });
  expect([page.status, await page.text()]).toEqual([503, expect.stringContaining("not available yet")]);

  await valkey.run();
  await eventuallyAsync(async () => (await app.readiness.probe()).checks["sign-in"]?.ok, "sign-in");
  const { tokens } = await connect(origin);
  expect((await list(origin, tokens.access_token)).status).toBe(200);
  await folder.remove();
});

test("while the store does not answer, a person who was found goes on for five minutes, and nobody else is found", async () => {
  let now = 0;
  let away = false;
  const people = new TestPeople();
  const find = people.find.bind(people);
  people.find = async (id) => {
    if (away) throw new Error("connect ECONNREFUSED");
    return find(id);
  };
  const cache = new PersonCache(people, () => now);
  expect(await cache.find(ADA.id)).toBe(ADA);
  away = true;
  for (now = 2_000; now < 300_000; now += 2_000) expect(await cache.find(ADA.id)).toBe(ADA);
  await expect(cache.find(ADA.id)).rejects.toMatchObject({ statusCode: 503 });
  await expect(cache.find("p_other")).rejects.toMatchObject({ statusCode: 503 });
  away = false;
  expect(await cache.find(ADA.id)).toBe(ADA);
  people.people.delete(ADA.id);
  now += 2_000;
  expect(await cache.find(ADA.id)).toBeUndefined();
});
