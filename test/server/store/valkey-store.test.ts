import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, jest, test } from "@jest/globals";
import { Redis } from "iovalkey";
import { LIMITS } from "../../../server/store/store.ts";
import { ValkeyStore } from "../../../server/store/valkey-store.ts";
import { parseStoreUrl } from "../../../server/store/valkey-url.ts";
import { eventuallyAsync } from "../support.ts";
import { stopTimers } from "../timers.ts";
import { contract, sessionRecord } from "./contract.ts";
import { whyNoDebian } from "./debian-program.ts";
import { SERVERS, ValkeyServer } from "./valkey.ts";

const reason = whyNoDebian();

if (reason !== undefined)
  test(`Valkey cannot run here: ${reason}`, () => {
    expect(process.env.CI).not.toBe("true");
  });
else for (const server of SERVERS) describe(server.title, () => against(server));

function against(program: (typeof SERVERS)[number]) {
  let server: ValkeyServer;
  let pair: readonly [ValkeyStore, ValkeyStore];
  const problems: string[] = [];
  beforeAll(async () => {
    server = await ValkeyServer.start(program);
    // A busy host takes longer than the default limit for hundreds of commands at once.
    const open = () => new ValkeyStore(server.url, (problem) => problems.push(problem), 60_000);
    pair = [open(), open()];
  }, 300_000);
  afterEach(() => {
    jest.useRealTimers();
  });
  afterAll(async () => {
    for (const store of pair ?? []) await store.close();
    await server?.[Symbol.asyncDispose]();
  });

  contract(() => pair);

  /** Runs work on a connection that sees the keys themselves. */
  async function raw<T>(work: (db: Redis) => Promise<T>): Promise<T> {
    const db = new Redis(server.socket);
    return work(db).finally(() => db.disconnect());
  }

  test("every key of a session expires", async () => {
    const record = sessionRecord();
    const [store] = pair;
    await store.create(record);
    const events = [{ session: record.id, stream: "s", n: 0, message: "{}" }];
    await store.write({ started: [], events, ended: [] });
    await raw(async (db) => {
      expect(await db.pttl(`mcp-edge:{${record.id}}`)).toBeGreaterThan(LIMITS.sessionTtlMs - 60_000);
      for (const key of await db.keys(`mcp-edge:{${record.id}}:*`)) {
        expect(await db.pttl(key)).toBeGreaterThan(0);
        expect(await db.pttl(key)).toBeLessThanOrEqual(LIMITS.eventTtlMs);
      }
    });
  });

  test("fails within seconds after a kill, reports it once, and has all sessions after the restart", async () => {
    const [one, two] = pair;
    const record = sessionRecord();
    await one.create(record);
    const received: string[] = [];
    await two.receive("listener", (text) => received.push(text));
    problems.length = 0;
    await server.kill();
    await expect(one.read(record.id)).rejects.toThrow();
    await expect(one.check()).rejects.toThrow();
    await server.run();
    await eventuallyAsync(async () => (await one.read(record.id)) !== undefined, "the session");
    expect(await two.read(record.id)).toEqual(record);
    // One report for each connection that was in use: two for commands, and the subscribers.
    expect(problems.length).toBeGreaterThan(0);
    expect(new Set(problems).size).toBeLessThanOrEqual(3);
    await eventuallyAsync(async () => {
      await one.send("other", "listener", "hello again");
      return received.length > 0;
    }, "the listener to listen again");
  });

  test("a write during which the server restarts succeeds", async () => {
    const [one] = pair;
    const { id } = sessionRecord();
    // A restart takes longer than a write waits if the host is busy. So the attempts to connect begin after it.
    stopTimers();
    await server.kill();
    const event = { session: id, stream: "s", n: 0, message: "{}" };
    let over = false;
    const written = one.write({ started: [], events: [event], ended: [] }).finally(() => {
      over = true;
    });
    await server.run();
    for (let n = 0; n < 200 && !over; n++) {
      await jest.advanceTimersByTimeAsync(100);
      await sleep(20);
    }
    await written;
    expect(await one.events(id, "s", -1)).toHaveLength(1);
  });

  test("a command fails when the server does not answer", async () => {
    const one = new ValkeyStore(server.url, () => {}, 1_000);
    await eventuallyAsync(async () => (await one.check()) !== "", "a connection");
    server.freeze();
    try {
      await expect(one.read("anything")).rejects.toThrow(/timed out/i);
    } finally {
      server.thaw();
    }
    await eventuallyAsync(async () => (await one.check()) !== "", "an answer");
    await one.close();
  });

  test("a full server refuses writes with the reason, and still reads and removes", async () => {
    const [one] = pair;
    const record = sessionRecord();
    await one.create(record);
    await raw((db) => db.config("SET", "maxmemory-policy", "noeviction"));
    await raw((db) => db.config("SET", "maxmemory", "1mb"));
    try {
      await expect(one.create(sessionRecord())).rejects.toThrow(/OOM|EXECABORT/);
      await expect(one.check()).rejects.toThrow(/OOM/);
      const events = [{ session: record.id, stream: "s", n: 0, message: "{}" }];
      await expect(one.write({ started: [], events, ended: [] })).rejects.toThrow(/OOM/);
      expect(await one.read(record.id)).toEqual(record);
    } finally {
      await raw((db) => db.config("SET", "maxmemory", "0"));
    }
    await one.remove(record.id);
    expect(await one.read(record.id)).toBeUndefined();
  });
}

describe("STORE_URL", () => {
  test.each([
    ["valkey://127.0.0.1", { host: "127.0.0.1", port: 6379, db: 0, shown: "127.0.0.1:6379/0" }],
    ["redis://cache:6380/2", { host: "cache", port: 6380, db: 2, shown: "cache:6380/2" }],
    [
      "valkeys://u:p%40ss@[::1]:7/1",
      { host: "::1", tls: {}, username: "u", password: "p@ss", shown: "[::1]:7/1" },
    ],
    ["unix:///run/v.sock?db=3", { path: "/run/v.sock", db: 3, shown: "/run/v.sock" }],
  ])("%s", (url, expected) => {
    expect(parseStoreUrl(url)).toMatchObject(expected);
  });

  test.each(["secret", "http://secret", "valkey://", "valkey://secret/x", "unix://secret"])(
    "%s is refused, and the message does not repeat it",
    (url) => {
      expect(() => parseStoreUrl(url)).toThrow(/such as/);
      expect(() => parseStoreUrl(url)).not.toThrow(/secret/);
    },
  );
});
