import { randomUUID } from "node:crypto";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { afterAll, beforeAll, expect, jest, test } from "@jest/globals";
import { Streams } from "../../../server/http/streams.ts";
import { openNotificationStream } from "../../../server/mcp/notification-streams.ts";
import { SqliteStore } from "../../../server/store/sqlite-store.ts";
import type { FakeResponse } from "../http/fake-response.ts";
import { INITIALIZE } from "../support.ts";
import { fakeExchange, initialize } from "./fake-exchange.ts";
import { PRINCIPAL, SILENT_LOG, sessionsOn } from "./session-fixture.ts";

const STREAMS = 500;
const HOUR_MS = 3_600_000;

/** Listeners for `abort` that were added and not removed, of all signals. */
let abortListeners = 0;
const { addEventListener, removeEventListener } = EventTarget.prototype;
beforeAll(() => {
  EventTarget.prototype.addEventListener = function (this: EventTarget, ...args) {
    if (args[0] === "abort") abortListeners++;
    return addEventListener.apply(this, args);
  };
  EventTarget.prototype.removeEventListener = function (this: EventTarget, ...args) {
    if (args[0] === "abort") abortListeners--;
    return removeEventListener.apply(this, args);
  };
  jest.useFakeTimers({ doNotFake: ["setImmediate", "queueMicrotask", "nextTick"] });
});
afterAll(() => {
  jest.useRealTimers();
  Object.assign(EventTarget.prototype, { addEventListener, removeEventListener });
});

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;
async function heapBytes(): Promise<number> {
  for (let i = 0; i < 5; i++) await new Promise((turned) => setImmediate(turned));
  collect();
  return process.memoryUsage().heapUsed;
}

async function pass(ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += 15_000) {
    await jest.advanceTimersByTimeAsync(15_000);
    await new Promise((turned) => setImmediate(turned));
  }
}

test("500 notification streams that are idle for an hour use no more memory over time, and leave nothing behind", async () => {
  const store = new SqliteStore(":memory:");
  const { sessions, watcher } = sessionsOn(store);
  const streams = new Streams();
  await sessions.start();
  watcher.start();
  const timersBefore = jest.getTimerCount();

  let keepAlives = 0;
  const responses: FakeResponse[] = [];
  for (let i = 0; i < STREAMS; i++) {
    const session = sessions.open(randomUUID(), PRINCIPAL, INITIALIZE.params);
    await initialize(session, streams, SILENT_LOG);
    const { http, response } = fakeExchange(streams, SILENT_LOG, "GET");
    response.write = (piece) => {
      if (piece.length < 20) keepAlives++;
      return true;
    };
    await openNotificationStream({ sessions, watcher }, session, http, PRINCIPAL);
    responses.push(response);
  }
  expect(streams.size).toBe(STREAMS);
  // What is created once exists by now.
  await pass(120_000);
  const [timers, listeners, heap] = [jest.getTimerCount(), abortListeners, await heapBytes()];
  keepAlives = 0;
  await pass(HOUR_MS);
  expect(keepAlives).toBe((STREAMS * HOUR_MS) / 15_000);
  expect(jest.getTimerCount()).toBe(timers);
  // Some streams may be reading at either moment; one listener left by each re-read would be 60,000.
  expect(Math.abs(abortListeners - listeners)).toBeLessThanOrEqual(STREAMS);
  // One listener or closure for each re-read would be more than 15 MB.
  expect((await heapBytes()) - heap).toBeLessThan(4_000_000);

  for (const response of responses) response.destroy();
  await pass(30_000);
  expect(streams.size).toBe(0);
  expect(sessions.live.values().filter((session) => session.endStream)).toEqual([]);
  expect(jest.getTimerCount()).toBe(timersBefore);
  watcher.stop();
  await sessions.close();
  await store.close();
});
