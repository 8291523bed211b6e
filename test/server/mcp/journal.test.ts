import { expect, test } from "@jest/globals";
import { Call, Journal } from "../../../server/mcp/journal.ts";
import { SqliteStore } from "../../../server/store/sqlite-store.ts";
import { eventually } from "../support.ts";

function journal() {
  const store = new SqliteStore(":memory:");
  const failures: string[] = [];
  const made = new Journal({
    store,
    instance: "i",
    tell: () => undefined,
    onError: (error) => failures.push(error.message),
  });
  /** Runs a POST whose stream sends these messages. */
  const post = async (call: Call, stream: string, ...messages: object[]) => {
    const events = made.eventStore(call.session);
    for (const message of messages)
      await made.run(call, () =>
        events.storeEvent(stream, message as Parameters<typeof events.storeEvent>[1]),
      );
  };
  return { store, failures, journal: made, post };
}

const progress = { jsonrpc: "2.0", method: "notifications/progress", params: {} };
const answer = { jsonrpc: "2.0", id: 1, result: {} };

test("a call that is over and delivered at once costs the store nothing, until somebody asks for it", async () => {
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

test("what could not be written is written when the store is back, in order", async () => {
  const { store, failures, journal: j, post } = journal();
  const write = store.write.bind(store);
  store.write = async () => {
    throw new Error("away");
  };
  const call = new Call("s", [1]);
  await post(call, "stream", {}, progress);
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

test("closing writes what a client may still come back for", async () => {
  const { store, journal: j, post } = journal();
  const call = new Call("s", [1]);
  await post(call, "stream", {}, answer);
  call.delivered = true;
  await j.flush();
  await j.close();
  expect(await store.events("s", "stream", -1)).toHaveLength(1);
});
