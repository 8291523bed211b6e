import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { afterEach, beforeEach, expect, jest, test } from "@jest/globals";
import { Streams } from "../../../server/http/streams.ts";
import type { HttpExchange } from "../../../server/mcp/http-exchange.ts";
import { openNotificationStream } from "../../../server/mcp/notification-streams.ts";
import type { Session } from "../../../server/mcp/session.ts";
import { SqliteStore } from "../../../server/store/sqlite-store.ts";
import type { Store } from "../../../server/store/store.ts";
import { StoreUnavailable } from "../../../server/store/store-unavailable.ts";
import { INITIALIZE, temporaryFolder } from "../support.ts";
import { fakeExchange, initialize } from "./fake-exchange.ts";
import { PRINCIPAL, SILENT_LOG, sessionsOn } from "./session-fixture.ts";

const streams = new Streams();

/** Faults of the network between the instances and the store. */
let faults: { losesMessages: boolean; refusesClaims: boolean };
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let one: Instance;
let two: Instance;
type Instance = Awaited<ReturnType<typeof instance>>;

beforeEach(async () => {
  jest.useFakeTimers({ doNotFake: ["setImmediate", "queueMicrotask", "nextTick"] });
  faults = { losesMessages: false, refusesClaims: false };
  folder = await temporaryFolder();
  one = await instance();
  two = await instance();
  await pass(3_000);
});

afterEach(async () => {
  await one.sessions.close();
  await two.sessions.close();
  jest.useRealTimers();
  await one.store.close();
  await two.store.close();
  await folder.remove();
});

/** The shared store, with the faults. */
function openStore(): Store {
  return new Proxy<Store>(new SqliteStore(join(folder.path, "sessions.db")), {
    get: (target, name: keyof Store) => {
      if (name === "send" && faults.losesMessages) return async () => undefined;
      if (name === "claimStream" && faults.refusesClaims)
        return async () => Promise.reject(new StoreUnavailable(new Error("away")));
      const value = target[name];
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

async function instance() {
  const store = openStore();
  const { sessions, watcher } = sessionsOn(store);
  await sessions.start();
  const open = (session: Session, http: HttpExchange) =>
    openNotificationStream({ sessions, watcher }, session, http, PRINCIPAL);
  return { store, sessions, notifications: { open } };
}

async function pass(ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += 500) {
    await jest.advanceTimersByTimeAsync(500);
    await new Promise((turned) => setImmediate(turned));
  }
}

async function openSession({ sessions }: Instance): Promise<Session> {
  const session = sessions.open(randomUUID(), PRINCIPAL, INITIALIZE.params);
  await initialize(session, streams, SILENT_LOG);
  return session;
}

/** Opens the session's notification stream at an instance, and reads it. */
async function openStream({ sessions, notifications }: Instance, id: string) {
  const session = await sessions.find(id, PRINCIPAL);
  if (!session) throw new Error("the session is unknown");
  const { http, response } = fakeExchange(streams, SILENT_LOG, "GET");
  const stream = { over: false };
  response.once("close", () => {
    stream.over = true;
  });
  await notifications.open(session, http);
  return stream;
}

test("a stream that was opened at another instance takes over at once", async () => {
  const { id } = await openSession(one);
  const first = await openStream(one, id);
  const second = await openStream(two, id);
  await pass(500);
  expect([first.over, second.over]).toEqual([true, false]);
});

test("a stream that was opened at another instance takes over within 35 s if the message about it is lost", async () => {
  const { id } = await openSession(one);
  const first = await openStream(one, id);
  faults.losesMessages = true;
  const second = await openStream(two, id);
  await pass(35_000);
  expect([first.over, second.over]).toEqual([true, false]);
  const third = await openStream(one, id);
  await pass(35_000);
  expect([second.over, third.over]).toEqual([true, false]);
  // The remaining stream stays, however often it is checked.
  await pass(120_000);
  expect(third.over).toBe(false);
});

test("a stream that was opened while the store was away is replaced by a later one at another instance", async () => {
  const { id } = await openSession(one);
  faults.refusesClaims = true;
  const first = await openStream(one, id);
  faults.refusesClaims = false;
  const second = await openStream(two, id);
  await pass(500);
  expect([first.over, second.over]).toEqual([true, false]);
});

test("a stream that was opened while the store was away stays open if there is no later one", async () => {
  const { id } = await openSession(one);
  const before = await openStream(one, id);
  faults.refusesClaims = true;
  const stream = await openStream(one, id);
  faults.refusesClaims = false;
  await pass(120_000);
  expect([before.over, stream.over]).toEqual([true, false]);
});

test("a session that is deleted at another instance is removed from memory within seconds if the message about it is lost", async () => {
  const { id } = await openSession(one);
  const stream = await openStream(one, id);
  const found = await two.sessions.find(id, PRINCIPAL);
  faults.losesMessages = true;
  if (found) await two.sessions.remove(found);
  expect(one.sessions.live.peek(id)).toBeDefined();
  await pass(2_000);
  expect([one.sessions.live.peek(id), stream.over]).toEqual([undefined, true]);
});

test("a state that is changed at another instance is read within seconds if the message about it is lost", async () => {
  const session = await openSession(one);
  const found = await two.sessions.find(session.id, PRINCIPAL);
  if (!found) throw new Error("the session is unknown");
  faults.losesMessages = true;
  await two.sessions.change(found, { subscribe: { "repo://r/a": "1" }, logLevel: "error" });
  expect(session.state.logLevel).toBeUndefined();
  await pass(2_000);
  expect(session.state).toMatchObject({ subscriptions: { "repo://r/a": "1" }, logLevel: "error" });
});
