import { expect, test } from "@jest/globals";
import { StandaloneQueue } from "../../../server/mcp/event-writer.ts";
import { LIMITS } from "../../../server/store/store.ts";

const event = (session: string, n: number) => ({ session, stream: "s", n: undefined, message: String(n) });

test("each session keeps its newest events, and a busy session does not displace those of another", () => {
  const queue = new StandaloneQueue();
  queue.add(event("quiet", 1));
  for (let n = 0; n < LIMITS.maxEvents + 5; n++) queue.add(event("busy", n));
  const first = queue.drain();
  expect(first.filter((e) => e.session === "quiet")).toHaveLength(1);
  expect(first.filter((e) => e.session === "busy").map((e) => e.message)).toEqual(
    Array.from({ length: LIMITS.maxEvents }, (_, i) => String(i + 5)),
  );
  expect(queue.drain()).toEqual([]);
});

test("events whose write failed come before later ones, and count for the limit", () => {
  const queue = new StandaloneQueue();
  const failed = [event("a", 1), event("b", 2), event("a", 3)];
  queue.add(event("a", 4));
  queue.putBack(failed);
  expect(queue.drain().map((e) => e.message)).toEqual(["1", "3", "4", "2"]);
  for (let n = 0; n < LIMITS.maxEvents; n++) queue.add(event("a", n));
  queue.putBack(failed);
  expect(queue.drain().filter((e) => e.session === "a")).toHaveLength(LIMITS.maxEvents);
});
