import { describe, expect, test } from "@jest/globals";
import { Call } from "../../../server/mcp/call.ts";
import { Delivered } from "../../../server/mcp/delivered.ts";
import { Journal } from "../../../server/mcp/journal.ts";
import { SqliteStore } from "../../../server/store/sqlite-store.ts";
import { eventually } from "../support.ts";

/** What the journal reads as the time. */
const clock = { ms: 0 };

function journal() {
  const store = new SqliteStore(":memory:");
  const failures: string[] = [];
  const made = new Journal({
    store,
    instance: "i",
    notify: () => undefined,
    onError: (error) => failures.push(error.message),
    now: () => clock.ms,
  });
  /** A POST whose stream sends these messages. */
  const post = async (call: Call, stream: string, ...messages: { id?: number; method?: string }[]) => {
    made.start(call);
    made.begin(call, stream);
    for (const message of messages) {
      const text = "jsonrpc" in message ? JSON.stringify(message) : undefined;
      made.event(call, text, message.method === undefined ? message.id : undefined);
    }
  };
  return { store, failures, journal: made, post };
}

const progress = { jsonrpc: "2.0", method: "notifications/progress", params: {} };
const answer = { jsonrpc: "2.0", id: 1, result: {} };

test("a call that is over and delivered at once is written to the store only when an instance asks for it", async () => {
  const { store, journal: j, post } = journal();
  const call = new Call("s", [1]);
  await post(call, "stream", {}, answer);
  call.delivered = true;
  await j.flush();
  expect(await store.events("s", "stream", -1)).toEqual([]);
  expect(await j.expose("s", "stream", "other")).toBe(true);
  expect(await store.events("s", "stream", -1)).toEqual([{ n: 1, message: JSON.stringify(answer) }]);
  expect(await j.expose("s", "unknown", "other")).toBe(false);
  expect(await j.expose("another session", "stream", "other")).toBe(false);
});

test("events of a store outage are written in order when the store is back", async () => {
  const { store, failures, journal: j, post } = journal();
  const write = store.write.bind(store);
  store.write = async () => {
    throw new Error("away");
  };
  const call = new Call("s", [1]);
  await post(call, "stream", {}, progress);
  clock.ms += 20;
  await j.flush();
  await post(call, "stream", progress);
  await j.flush();
  expect(failures).toEqual(["away", "away"]);
  store.write = write;
  await eventually(() => call.written && call.unwritten.length === 0, "the write to be tried again");
  expect((await store.events("s", "stream", -1)).map((e) => e.n)).toEqual([1, 2]);
  expect(await store.call("s", "stream")).toMatchObject({ instance: "i", requests: [1] });
  await post(call, "stream", answer);
  await j.flush();
  expect(await store.call("s", "stream")).toBeUndefined();
  expect(j.busy("s")).toBe(false);
});

test("closing writes the events that a client may still resume from", async () => {
  const { store, journal: j, post } = journal();
  const call = new Call("s", [1]);
  await post(call, "stream", {}, answer);
  call.delivered = true;
  await j.flush();
  await j.close();
  expect(await store.events("s", "stream", -1)).toHaveLength(1);
});

describe("a call that is over and delivered within 20 ms is not written with calls that take longer", () => {
  test.each([0, 5, 10, 19])("if it begins %d ms before the common write", async (age) => {
    const { store, journal: j, post } = journal();
    const long = new Call("s", [1]);
    await post(long, "long", {}, progress);
    clock.ms += 20 - age;
    const short = new Call("s", [2]);
    await post(short, "short", {}, progress);
    clock.ms += age;
    await j.flush();
    expect(await store.call("s", "long")).toBeDefined();
    expect(await store.call("s", "short")).toBeUndefined();
    await post(short, "short", { ...answer, id: 2 });
    short.delivered = true;
    await j.flush();
    expect(await store.events("s", "short", -1)).toEqual([]);
    expect(j.size).toEqual({ open: 1, live: 1, delivered: 1 });
  });

  test("a call that takes longer is written although no other call arrives", async () => {
    const { store, journal: j, post } = journal();
    await post(new Call("s", [1]), "long", {}, progress);
    await j.flush();
    expect(await store.call("s", "long")).toBeUndefined();
    clock.ms += 20;
    // The journal's timer triggers the write.
    await eventually(() => j.size.live === 1 && j.size.open === 1, "the call");
    let written = false;
    await eventually(() => {
      void store.call("s", "long").then((call) => {
        written = call !== undefined;
      });
      return written;
    }, "the call to be written");
  });
});

describe("a session that is deleted", () => {
  test.each([
    ["with a stream that is written", true, true],
    ["with a stream that is not written yet", true, false],
    ["whose call has sent nothing", false, false],
  ])("releases its calls in flight: %s", async (_, streams, written) => {
    const { store, journal: j, post } = journal();
    const call = new Call("s", [1, 2]);
    if (streams) await post(call, "stream", {}, progress);
    else j.start(call);
    if (written) {
      clock.ms += 20;
      await j.flush();
    }
    const done = new Call("s", [3]);
    await post(done, "done", {}, { ...answer, id: 3 });
    done.delivered = true;
    await post(new Call("another", [1]), "another", {}, progress);
    await j.forget("s");
    await store.remove("s");
    // Its handlers still send messages, which are dropped.
    await post(call, "stream", progress, answer);
    clock.ms += 20;
    await j.flush();
    expect(j.busy("s")).toBe(false);
    expect(j.size).toMatchObject({ open: 1, live: 1 });
    expect(await store.events("s", "stream", -1)).toEqual([]);
    expect(await store.call("s", "stream")).toBeUndefined();
    expect(await j.expose("s", "stream", "other")).toBe(false);
  });

  test("is not written by the retry of a failed write", async () => {
    const { store, journal: j, post } = journal();
    const write = store.write.bind(store);
    store.write = async () => {
      throw new Error("away");
    };
    await post(new Call("s", [1]), "stream", {}, progress);
    clock.ms += 20;
    const flushing = j.flush();
    await j.forget("s");
    await flushing;
    store.write = write;
    await j.flush();
    expect(await store.events("s", "stream", -1)).toEqual([]);
    expect(j.size).toEqual({ open: 0, live: 0, delivered: 0 });
  });
});

describe("calls that were delivered", () => {
  const call = (stream: string, chars = 10) =>
    Object.assign(new Call(stream.split("/")[0] ?? "", [1]), {
      stream,
      unwritten: [{ n: 1, message: "x".repeat(chars) }],
    });

  test.each([
    ["number", { calls: 100 }, 10, 100],
    ["characters", { chars: 1_000 }, 100, 10],
    ["age", { ms: 50 }, 10, 50],
  ])("are bounded by %s", (_, limits, chars, kept) => {
    let now = 0;
    const delivered = new Delivered(() => now, limits);
    for (let i = 0; i < 5_000; i++, now++) delivered.add(call(`s/${i}`, chars));
    expect(delivered.size).toBe(kept);
    expect(delivered.chars).toBe(kept * chars);
    expect(delivered.get("s/4999")).toBeDefined();
    expect(delivered.get("s/0")).toBeUndefined();
  });

  test("are removed with their session, or one by one", () => {
    const delivered = new Delivered(() => 0);
    for (const stream of ["a/1", "a/2", "b/1"]) delivered.add(call(stream));
    expect(delivered.removeAll("a")).toHaveLength(2);
    expect(delivered.remove("b/1")).toMatchObject({ session: "b" });
    expect([delivered.size, delivered.chars]).toEqual([0, 0]);
  });
});
