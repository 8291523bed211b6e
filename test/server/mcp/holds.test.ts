import { request } from "node:http";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "@jest/globals";
import { SqliteStore } from "../../../server/store/sqlite-store.ts";
import type { Store } from "../../../server/store/store.ts";
import { eventually, INITIALIZE, openSession, type RunningApp, rpc, startApp } from "../support.ts";

/** The methods of the store that fail now, and those that wait for `resume`. */
const failing = new Set<string>();
const waiting = new Map<string, Promise<void>>();
/** Calls of the store that are running. */
let runningCalls = 0;

const store = new Proxy<Store>(new SqliteStore(":memory:"), {
  get: (target, name: keyof Store) => {
    const value = target[name];
    if (typeof value !== "function") return value;
    if (!failing.has(name) && !waiting.has(name)) return value.bind(target);
    return async (...args: unknown[]) => {
      if (failing.has(name)) throw new Error("away");
      runningCalls++;
      await waiting.get(name);
      runningCalls--;
      return (value as (...args: unknown[]) => unknown).apply(target, args);
    };
  },
});

let running: RunningApp;
beforeAll(async () => {
  // Room for one session: another finds none while the first is in use.
  running = await startApp({ RATE_LIMIT_ADDRESS: "0" }, { store, live: { max: 1 } });
});
afterAll(() => running.app.close());
afterEach(() => {
  failing.clear();
  waiting.clear();
});

const get = (headers: Record<string, string>) =>
  fetch(`${running.origin}/mcp`, { headers: { accept: "text/event-stream", ...headers } });

/** The id of an event of a call that is over. */
async function eventOf(session: string): Promise<string> {
  const ping = { jsonrpc: "2.0", id: 7, method: "ping" };
  const headers = { "mcp-session-id": session, accept: "text/event-stream" };
  const text = await (await rpc(running.origin, ping, headers)).text();
  return /^id: (.*)$/m.exec(text)?.[1] ?? "";
}

/** GET by a client that disconnects while the store is asked. */
async function leaveDuring(method: keyof Store, headers: Record<string, string>): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  waiting.set(method, promise);
  const leaving = request(`${running.origin}/mcp`, { headers: { accept: "text/event-stream", ...headers } });
  leaving.on("error", () => undefined).end();
  await eventually(() => runningCalls > 0, `the store to be asked for ${method}`);
  const before = running.logs.filter((l) => l.msg === "request").length;
  leaving.destroy();
  await eventually(
    () => running.logs.filter((l) => l.msg === "request").length > before,
    "the client to be disconnected",
  );
  waiting.clear();
  resolve();
}

describe("a session is no longer in use after", () => {
  test.each<[string, (session: string) => Promise<unknown>]>([
    [
      "a resumption during which the store failed",
      async (id) => {
        const event = await eventOf(id);
        failing.add("call").add("events");
        const response = await get({ "mcp-session-id": id, "last-event-id": event });
        expect(response.status).toBe(503);
      },
    ],
    [
      "a resumption after the last event",
      async (id) => {
        const event = await eventOf(id);
        expect((await get({ "mcp-session-id": id, "last-event-id": event })).status).toBe(204);
      },
    ],
    [
      "a resumption from an event id that is not this server's",
      async (id) => expect((await get({ "mcp-session-id": id, "last-event-id": "x" })).status).toBe(400),
    ],
    [
      "a notification stream whose client left",
      async (id) => (await get({ "mcp-session-id": id })).body?.cancel(),
    ],
    [
      "a client that left before its notification stream was open",
      (id) => leaveDuring("claimStream", { "mcp-session-id": id }),
    ],
    [
      "a client that left before its call was resumed",
      async (id) => leaveDuring("events", { "mcp-session-id": id, "last-event-id": await eventOf(id) }),
    ],
    [
      "a request that the transport refused",
      async (id) => {
        const headers = { "mcp-session-id": id, "mcp-protocol-version": "1999-01-01" };
        expect((await rpc(running.origin, { jsonrpc: "2.0", id: 1, method: "ping" }, headers)).status).toBe(
          400,
        );
      },
    ],
  ])("%s", async (_, use) => {
    await use(await openSession(running.origin));
    let status = 0;
    for (let tries = 0; status !== 200 && tries < 3_000; tries++) {
      const response = await rpc(running.origin, INITIALIZE);
      await response.text();
      status = response.status;
      if (status !== 200) await new Promise((resolve) => setTimeout(resolve, 20));
    }
    expect(status).toBe(200);
    expect(running.app.streams.size).toBe(0);
  });
});
