import { stat } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { openOAuthStore } from "../../../../server/auth/oauth/open-oauth-store.ts";
import { OAUTH_FILE, SqliteOAuthStore } from "../../../../server/auth/oauth/sqlite-oauth-store.ts";
import type { OAuthStore } from "../../../../server/auth/oauth/store.ts";
import { ValkeyOAuthStore } from "../../../../server/auth/oauth/valkey-oauth-store.ts";
import { SERVERS, ValkeyServer } from "../../store/valkey.ts";
import { temporaryFolder } from "../../support.ts";
import { Clock, contract } from "./store-contract.ts";

describe("SQLite", () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let stores: [OAuthStore, OAuthStore];
  const clock = new Clock();
  beforeAll(async () => {
    folder = await temporaryFolder();
    const file = join(folder.path, OAUTH_FILE);
    stores = [new SqliteOAuthStore(file, clock.now), new SqliteOAuthStore(file, clock.now)];
  });
  afterAll(async () => {
    for (const store of stores) await store.close();
    await folder.remove();
  });
  contract(() => stores, clock);

  test("its file, which holds the keys, is the server's alone", async () => {
    const dir = join(folder.path, "fresh");
    const store = await openOAuthStore({ storeUrl: undefined, sessionsDir: dir });
    expect((await stat(join(dir, OAUTH_FILE))).mode & 0o777).toBe(0o600);
    await store.close();
    const missing = openOAuthStore({ storeUrl: undefined, sessionsDir: join(folder.path, "no/such") });
    await expect(missing).rejects.toThrow(/install -d .*no\/such/);
  });
});

describe.each(SERVERS)("$title", (program) => {
  let valkey: ValkeyServer;
  let stores: [OAuthStore, OAuthStore];
  const clock = new Clock();
  beforeAll(async () => {
    valkey = await ValkeyServer.start(program);
    stores = [new ValkeyOAuthStore(valkey.url, clock.now), new ValkeyOAuthStore(valkey.url, clock.now)];
  });
  afterAll(async () => {
    for (const store of stores) await store.close();
    await valkey[Symbol.asyncDispose]();
  });
  contract(() => stores, clock);
});
