import { expect, test } from "@jest/globals";
import { Streams } from "../../../server/http/streams.ts";
import { frame, Tail, type TailSource } from "../../../server/mcp/tail.ts";
import type { StoredEvent } from "../../../server/store/store.ts";
import { FakeResponse } from "../http/fake-response.ts";
import { eventually } from "../support.ts";
import { SILENT_LOG } from "./session-fixture.ts";

/** A source whose reads end when the test says so. */
function source() {
  const reads: { after: number; end: (events: StoredEvent[], more?: boolean) => void }[] = [];
  const watch: { change: () => void; watched: number } = { change: () => undefined, watched: 0 };
  const made: TailSource = {
    tag: "-t",
    read: (after) =>
      new Promise((done) => {
        reads.push({ after, end: (events, more = true) => done({ events, more }) });
      }),
    watch: (onChange) => {
      watch.change = onChange;
      watch.watched++;
      return () => {
        watch.watched--;
      };
    },
  };
  return { made, reads, watch };
}

function opened(made: TailSource) {
  const response = new FakeResponse();
  const tail = new Tail(made, 0, "");
  const options = { route: "/mcp", longLived: true, paced: true, log: SILENT_LOG };
  tail.start(new Streams().track(response, { ...options, onEnd: () => tail.stop() }));
  return { response, tail };
}

const turn = () => new Promise((done) => setImmediate(done));

test("an event that is written while the source is read is sent", async () => {
  const { made, reads, watch } = source();
  const { response } = opened(made);
  expect(reads.length).toBe(1);
  watch.change();
  watch.change();
  expect(reads.length).toBe(1);
  reads[0]?.end([]);
  await eventually(() => reads.length === 2, "the second read");
  reads[1]?.end([{ n: 1, message: "one" }]);
  await eventually(() => response.text.includes(frame("1-t", "one")), "the event");
  // There may be more after a page.
  await eventually(() => reads.length === 3, "the third read");
  expect(reads[2]?.after).toBe(1);
  reads[2]?.end([]);
  await turn();
  expect(reads.length).toBe(3);
  watch.change();
  expect(reads.length).toBe(4);
});

test("a stream that is over follows its source no longer, whether it ends while it is idle, read or finished", async () => {
  for (const end of ["idle", "read", "finished"]) {
    const { made, reads, watch } = source();
    const { response, tail } = opened(made);
    expect(watch.watched).toBe(1);
    if (end !== "read") reads[0]?.end([], end === "idle");
    await turn();
    if (end !== "finished") tail.end();
    reads[0]?.end([{ n: 1, message: "late" }]);
    await eventually(() => response.writableEnded, "the end");
    expect([end, watch.watched]).toEqual([end, 0]);
    expect(response.text).not.toContain("late");
    watch.change();
    expect(reads.length).toBe(1);
  }
});
