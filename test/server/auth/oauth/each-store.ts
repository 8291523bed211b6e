import { join } from "node:path";
import { afterAll, beforeAll, describe } from "@jest/globals";
import { OAUTH_FILE, SqliteOAuthStore } from "../../../../server/auth/oauth/sqlite-oauth-store.ts";
import type { OAuthStore } from "../../../../server/auth/oauth/store.ts";
import { ValkeyOAuthStore } from "../../../../server/auth/oauth/valkey-oauth-store.ts";
import { SERVERS, ValkeyServer } from "../../store/valkey.ts";
import { temporaryFolder } from "../../support.ts";

/** A clock that tests move. It is ahead: Valkey removes records by its own clock, which runs on while the tests' clock stands. */
export class Clock {
  ms = Date.now() + 3_600_000;
  now = () => this.ms;
}

/**
 * Runs the same tests with every store.
 *
 * @param tests gets two instances' stores over the same records, from the first test on, and the clock of both
 */
export function withEachStore(
  tests: (pair: () => readonly [OAuthStore, OAuthStore], clock: Clock) => void,
): void {
  describe("SQLite", () => {
    pairOf(async (now) => {
      const folder = await temporaryFolder();
      const file = join(folder.path, OAUTH_FILE);
      return { open: () => new SqliteOAuthStore(file, now), end: () => folder.remove() };
    }, tests);
  });
  describe.each(SERVERS)("$title", (program) => {
    pairOf(async (now) => {
      const valkey = await ValkeyServer.start(program);
      return { open: () => new ValkeyOAuthStore(valkey.url, now), end: () => valkey[Symbol.asyncDispose]() };
    }, tests);
  });
}

function pairOf(
  start: (now: () => number) => Promise<{ open(): OAuthStore; end(): Promise<void> }>,
  tests: Parameters<typeof withEachStore>[0],
): void {
  const clock = new Clock();
  let stores: [OAuthStore, OAuthStore];
  let end: () => Promise<void>;
  beforeAll(async () => {
    const started = await start(clock.now);
    stores = [started.open(), started.open()];
    end = started.end;
  });
  afterAll(async () => {
    for (const store of stores) await store.close();
    await end();
  });
  tests(() => stores, clock);
}
