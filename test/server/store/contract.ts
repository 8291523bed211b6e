import { randomUUID } from "node:crypto";
import { expect, jest, test } from "@jest/globals";
import { INITIAL_STATE } from "../../../server/store/session-state.ts";
import { LAST_N, LIMITS, type SessionRecord, STANDALONE, type Store } from "../../../server/store/store.ts";
import { eventually } from "../support.ts";

/** Uses within one millisecond have no order. */
const clockTick = () => new Promise((resolve) => setTimeout(resolve, 3));

/** A session of its own for each test, since they share a store. */
export function sessionRecord() {
  const params = { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: "ö", version: "1" } };
  return { id: randomUUID(), principal: "p1", params, state: INITIAL_STATE };
}

const callOf = (session: string, instance = "i1") => ({
  session,
  stream: randomUUID(),
  instance,
  requests: [1, "two"],
});
const event = (session: string, stream: string, n: number | undefined, message = `{"n":${n}}`) => ({
  session,
  stream,
  n,
  message,
});
const nothing = { started: [], events: [], ended: [] };

/**
 * What every store must do.
 *
 * @param pair two instances' stores over the same records
 */
export function contract(pair: () => readonly [Store, Store]): void {
  test("a session is read by the other instance, changed, and forgotten with its events", async () => {
    const [one, two] = pair();
    const record = sessionRecord();
    await one.create(record);
    expect(await two.read(record.id)).toEqual(record);
    const state = { initialized: true, logLevel: "error", subscriptions: { "repo://a/b": "1" }, lists: {} };
    await two.changeState(record.id, {
      initialized: true,
      logLevel: "error",
      subscribe: state.subscriptions,
    });
    expect(await one.read(record.id)).toEqual({ ...record, state });
    await one.touch([record, { ...record, id: "unknown" }]);
    const call = callOf(record.id);
    await one.write({ started: [call], events: [event(record.id, call.stream, 1)], ended: [] });
    await two.remove(record.id);
    expect(await one.read(record.id)).toBeUndefined();
    expect(await one.events(record.id, call.stream, -1)).toEqual([]);
    expect(await one.call(record.id, call.stream)).toBeUndefined();
    await one.changeState(record.id, { initialized: true });
    expect(await one.claimStream(record.id)).toBeUndefined();
    await one.touch([record]);
    expect(await one.read(record.id)).toBeUndefined();
  });

  test("the states of many sessions tell a removed session from one that the store does not know", async () => {
    const [one, two] = pair();
    const [kept, removed] = [sessionRecord(), sessionRecord()];
    await one.create(kept);
    await one.create(removed);
    await one.changeState(kept.id, { logLevel: "error" });
    await one.remove(removed.id);
    const states = await two.states([kept.id, removed.id]);
    expect(states.get(kept.id)).toEqual({ ...INITIAL_STATE, logLevel: "error" });
    expect([states.has(removed.id), states.get(removed.id)]).toEqual([true, undefined]);
  });

  test("changes of two instances at the same time are all kept; what was left meanwhile does not come back", async () => {
    const [one, two] = pair();
    const record = sessionRecord();
    await one.create(record);
    const uris = Array.from({ length: 40 }, (_, i) => `repo://a/${i}`);
    await Promise.all(
      uris.map((uri, i) => (i % 2 ? one : two).changeState(record.id, { subscribe: { [uri]: "1" } })),
    );
    await Promise.all([
      one.changeState(record.id, { unsubscribe: uris.slice(0, 20) }),
      two.changeState(record.id, { logLevel: "debug" }),
      one.changeState(record.id, { notified: { lists: { tools: "t" }, resources: { "repo://a/39": "2" } } }),
      two.changeState(record.id, {
        notified: { lists: { prompts: "p" }, resources: { "repo://a/38": "3" } },
      }),
    ]);
    // The notification is recorded after the client has unsubscribed.
    await two.changeState(record.id, { notified: { resources: { "repo://a/0": "9" } } });
    const left = Object.fromEntries(uris.slice(20).map((uri) => [uri, "1"]));
    expect((await one.read(record.id))?.state).toEqual({
      initialized: false,
      logLevel: "debug",
      subscriptions: { ...left, "repo://a/39": "2", "repo://a/38": "3" },
      lists: { tools: "t", prompts: "p" },
    });
    // Without subscriptions it is still a map.
    await one.changeState(record.id, { unsubscribe: uris });
    expect((await two.read(record.id))?.state.subscriptions).toEqual({});
  });

  test("claims of a session's stream rise at whichever instance, and begin after the last event", async () => {
    const [one, two] = pair();
    const record = sessionRecord();
    await one.create(record);
    expect(await two.lastClaim(record.id)).toBe(0);
    expect(await one.claimStream(record.id)).toEqual({ claim: 1, last: 0 });
    const claims = await Promise.all([one, two, one, two].map((store) => store.claimStream(record.id)));
    expect(claims.map((c) => c?.claim).sort()).toEqual([2, 3, 4, 5]);
    await two.write({ ...nothing, events: [event(record.id, STANDALONE, undefined)] });
    const [last] = await one.events(record.id, STANDALONE, -1);
    expect(await one.claimStream(record.id)).toEqual({ claim: 6, last: last?.n });
    expect(await two.lastClaim(record.id)).toBe(6);
    await two.remove(record.id);
    expect(await one.lastClaim(record.id)).toBeUndefined();
  });

  test("notifications are numbered upwards though a writer's clock is behind and all before were dropped", async () => {
    const [one, two] = pair();
    const record = sessionRecord();
    await one.create(record);
    const write = (store: Store) =>
      store.write({ ...nothing, events: [event(record.id, STANDALONE, undefined)] });
    await write(one);
    const first = (await one.claimStream(record.id))?.last ?? 0;
    const clock = jest.spyOn(Date, "now").mockReturnValue(Date.now() - 3_600_000);
    try {
      await write(two);
      const second = (await two.claimStream(record.id))?.last ?? 0;
      expect(second).toBeGreaterThan(first);
      expect((await one.events(record.id, STANDALONE, first)).map((e) => e.n)).toEqual([second]);
      // As if its life were over.
      clock.mockReturnValue(Date.now() + 3_600_000 + 2 * LIMITS.eventTtlMs);
      await one.sweep();
      clock.mockReturnValue(Date.now() - 7_200_000);
      await write(two);
      expect((await one.claimStream(record.id))?.last).toBeGreaterThan(second);
    } finally {
      clock.mockRestore();
    }
  });

  test("a principal that opens more sessions than it may loses its own, the least recently used first", async () => {
    const [one, two] = pair();
    const [greedy, modest] = [randomUUID(), randomUUID()];
    const theirs = { ...sessionRecord(), principal: modest };
    await one.create(theirs, 3);
    const mine = Array.from({ length: 6 }, () => ({ ...sessionRecord(), principal: greedy }));
    const there = async () => {
      const found = await Promise.all(mine.map((record) => two.read(record.id)));
      return found.flatMap((record, n) => (record ? [n] : []));
    };
    for (const record of mine.slice(0, 3)) {
      await one.create(record, 3);
      await clockTick();
    }
    await two.touch([mine[0] ?? theirs]);
    for (const record of mine.slice(3, 5)) {
      await clockTick();
      await one.create(record, 3);
    }
    expect(await there()).toEqual([0, 3, 4]);
    // Written again, for instance after an outage, it counts once.
    await one.create(mine[4] ?? theirs, 3);
    expect(await there()).toEqual([0, 3, 4]);
    await one.create(mine[5] ?? theirs, 0);
    expect(await there()).toEqual([0, 3, 4, 5]);
    expect(await two.read(theirs.id)).toEqual(theirs);
    for (const record of [...mine, theirs]) await one.remove(record.id);
  });

  test("of too many sessions those of the principals that have most go", async () => {
    const [one] = pair();
    const known = Number(/^\d+/.exec(await one.check())?.[0]);
    const records: SessionRecord[] = [];
    for (const [principal, count] of [
      ["most", 700],
      ["some", 3],
      ["few", 2],
    ] as const)
      for (let n = 0; n < count; n++)
        records.push({ ...sessionRecord(), principal: `${principal} ${known}` });
    await Promise.all(records.map((record) => one.create(record)));
    await one.sweep(known + 8);
    const left = await Promise.all(records.map((record) => one.read(record.id)));
    const of = (name: string) => left.filter((record) => record?.principal.startsWith(name)).length;
    expect([of("most"), of("some"), of("few")]).toEqual([3, 3, 2]);
    for (const record of records) await one.remove(record.id);
  });

  test("the events of a stream are read in order from any place, and its call is known until it ends", async () => {
    const [one, two] = pair();
    const { id } = sessionRecord();
    const call = callOf(id);
    const events = [0, 1, 2].map((n) => event(id, call.stream, n));
    await one.write({ started: [call], events, ended: [] });
    expect(await two.call(id, call.stream)).toEqual(call);
    expect(await two.call("another", call.stream)).toBeUndefined();
    expect((await two.events(id, call.stream, -1)).map((e) => e.n)).toEqual([0, 1, 2]);
    expect((await two.events(id, call.stream, 0, 1)).map((e) => e.n)).toEqual([1]);
    expect(await two.events(id, call.stream, 1)).toEqual([{ n: 2, message: '{"n":2}' }]);
    await one.write({ started: [], events: [event(id, call.stream, 3)], ended: [call] });
    expect(await two.call(id, call.stream)).toBeUndefined();
    expect(await two.events(id, call.stream, 2)).toHaveLength(1);
  });

  test("events without a number go on from where the stream is, never behind the clock", async () => {
    const [one, two] = pair();
    const { id } = sessionRecord();
    const before = Date.now() * 1_000;
    const write = (store: Store) =>
      store.write({
        ...nothing,
        events: [event(id, STANDALONE, undefined), event(id, STANDALONE, undefined)],
      });
    await write(one);
    await write(two);
    const places = (await one.events(id, STANDALONE, -1)).map((e) => e.n);
    expect(places).toHaveLength(4);
    expect(places[0]).toBeGreaterThanOrEqual(before);
    expect(new Set(places).size).toBe(4);
    expect([...places].sort((a, b) => a - b)).toEqual(places);
  });

  test("calls of a dead instance end with the errors they are given, once", async () => {
    const [one, two] = pair();
    const { id } = sessionRecord();
    const dead = randomUUID();
    const [call, other] = [callOf(id, dead), callOf(id, "i2")];
    await one.beat(dead, "blue");
    await one.write({ started: [call, other], events: [event(id, call.stream, 0)], ended: [] });
    expect((await two.beat("i2", "green")).get(dead)).toEqual({ slot: "blue", count: 1 });
    expect((await one.beat(dead, "blue")).get(dead)?.count).toBe(2);
    const message = (request: unknown) => JSON.stringify({ lost: request });
    const [first, second] = await Promise.all([one.reap(dead, message), two.reap(dead, message)]);
    expect([...first, ...second]).toContainEqual(call);
    expect(await two.events(id, call.stream, 0)).toEqual([
      { n: LAST_N - 1, message: '{"lost":1}' },
      { n: LAST_N, message: '{"lost":"two"}' },
    ]);
    expect(await one.call(id, call.stream)).toBeUndefined();
    expect(await one.call(id, other.stream)).toEqual(other);
    expect((await one.beat("i2", "green")).has(dead)).toBe(false);
  });

  test("messages reach the instance they are addressed to, or all others", async () => {
    const [one, two] = pair();
    const [received1, received2]: [string[], string[]] = [[], []];
    const [a, b] = [randomUUID(), randomUUID()];
    await one.receive(a, (text) => received1.push(text));
    await two.receive(b, (text) => received2.push(text));
    await one.send(a, b, "to b");
    await one.send(a, "*", "to all");
    await one.send(a, randomUUID(), "to another");
    await two.send(b, a, "back");
    await eventually(() => received2.length === 2 && received1.length === 1, "the messages");
    expect(received2).toEqual(["to b", "to all"]);
    expect(received1).toEqual(["back"]);
  });

  test("no more events are kept than the limits allow, the newest first", async () => {
    const [one] = pair();
    const { id } = sessionRecord();
    const [old, call] = [randomUUID(), randomUUID()];
    for (let n = 0; n < 1_200; n += 100) {
      const stream = n < 300 ? old : call;
      const events = Array.from({ length: 100 }, (_, i) => event(id, stream, n + i));
      await one.write({ ...nothing, events });
    }
    expect(await one.events(id, old, -1)).toHaveLength(LIMITS.maxEvents - 900);
    expect((await one.events(id, call, -1)).at(-1)?.n).toBe(1_199);
    const large = "x".repeat(1024 * 1024);
    for (let n = 2_000; n < 2_200; n += 10) {
      const events = Array.from({ length: 10 }, (_, i) => event(id, call, n + i, i === 0 ? large : "{}"));
      await one.write({ ...nothing, events });
    }
    const kept = await one.events(id, call, -1);
    const chars = kept.reduce((sum, e) => sum + e.message.length, 0);
    expect(chars).toBeLessThanOrEqual(LIMITS.maxEventChars);
    expect(chars).toBeGreaterThan(LIMITS.maxEventChars / 2);
    expect(kept.at(-1)?.n).toBe(2_199);
  });

  test("it says that it works, and sweeping keeps what is in use", async () => {
    const [one, two] = pair();
    const record = sessionRecord();
    await one.create(record);
    await two.sweep();
    expect(await one.check()).toMatch(/^\d+ sessions in /);
    expect(await one.read(record.id)).toEqual(record);
  });
}
