import { randomUUID } from "node:crypto";
import { expect, jest, test } from "@jest/globals";
import { INITIAL_STATE } from "../../../server/store/session-state.ts";
import { LAST_N, LIMITS, type SessionRecord, STANDALONE, type Store } from "../../../server/store/store.ts";
import { eventually } from "../support.ts";

/** Waits for the next millisecond, since uses within one millisecond have no order. */
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
  test("a session can be read, changed and removed with its events by the other instance", async () => {
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

  test("states() has no entry for an unknown session and an undefined one for a removed session", async () => {
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

  test("concurrent changes of two instances are all kept, and a notification does not restore an ended subscription", async () => {
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

  test("claims of a session's stream rise across instances, and begin after the last event", async () => {
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

  test("numbers of notifications rise even if a writer's clock is behind and all earlier ones were dropped", async () => {
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
      // Later than the time to live of all events.
      clock.mockReturnValue(Date.now() + 3_600_000 + 2 * LIMITS.eventTtlMs);
      await one.sweep();
      clock.mockReturnValue(Date.now() - 7_200_000);
      await write(two);
      expect((await one.claimStream(record.id))?.last).toBeGreaterThan(second);
    } finally {
      clock.mockRestore();
    }
  });

  test("a principal that opens too many sessions loses its own, the least recently used first", async () => {
    const [one, two] = pair();
    const [greedy, modest] = [randomUUID(), randomUUID()];
    const modestSession = { ...sessionRecord(), principal: modest };
    await one.create(modestSession, 3);
    const greedySessions = Array.from({ length: 6 }, () => ({ ...sessionRecord(), principal: greedy }));
    const remaining = async () => {
      const found = await Promise.all(greedySessions.map((record) => two.read(record.id)));
      return found.flatMap((record, n) => (record ? [n] : []));
    };
    for (const record of greedySessions.slice(0, 3)) {
      await one.create(record, 3);
      await clockTick();
    }
    await two.touch([greedySessions[0] ?? modestSession]);
    for (const record of greedySessions.slice(3, 5)) {
      await clockTick();
      await one.create(record, 3);
    }
    expect(await remaining()).toEqual([0, 3, 4]);
    // A session that is written again, for instance after an outage, counts once.
    await one.create(greedySessions[4] ?? modestSession, 3);
    expect(await remaining()).toEqual([0, 3, 4]);
    await one.create(greedySessions[5] ?? modestSession, 0);
    expect(await remaining()).toEqual([0, 3, 4, 5]);
    expect(await two.read(modestSession.id)).toEqual(modestSession);
    for (const record of [...greedySessions, modestSession]) await one.remove(record.id);
  });

  test("sweeping too many sessions removes those of the principals with the most", async () => {
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

  test("the events of a stream are read in order from any number, and its call is known until it ends", async () => {
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

  test("events without a number continue the stream, and are never numbered behind the clock", async () => {
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

  test("reaping a dead instance ends its calls with the given errors, once", async () => {
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

  test("messages reach the addressed instance, or all others", async () => {
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

  test("the newest events are kept, up to the limits", async () => {
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

  test("check() counts the sessions, and sweep() keeps those in use", async () => {
    const [one, two] = pair();
    const record = sessionRecord();
    await one.create(record);
    await two.sweep();
    expect(await one.check()).toMatch(/^\d+ sessions in /);
    expect(await one.read(record.id)).toEqual(record);
  });
}
