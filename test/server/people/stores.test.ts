import { afterAll, beforeAll, describe } from "@jest/globals";
import { SqliteOAuthStore } from "../../../server/auth/oauth/sqlite-oauth-store.ts";
import type { OAuthStore } from "../../../server/auth/oauth/store.ts";
import { ValkeyOAuthStore } from "../../../server/auth/oauth/valkey-oauth-store.ts";
import { Clock } from "../auth/oauth/store-contract.ts";
import { SERVERS, ValkeyServer } from "../store/valkey.ts";
import { contract } from "./contract.ts";

describe("SQLite", () => {
  const clock = new Clock();
  const store = new SqliteOAuthStore(":memory:", clock.now);
  afterAll(() => store.close());
  contract(() => [store, store], clock);
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
