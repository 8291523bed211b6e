import { afterEach, beforeEach, expect, jest, test } from "@jest/globals";
import { PendingWrites } from "../../../server/mcp/pending-writes.ts";

beforeEach(() => {
  jest.useFakeTimers();
});
afterEach(() => {
  jest.useRealTimers();
});

test("a failed write is retried until the store accepts it", async () => {
  const unsaved = new PendingWrites();
  let away = true;
  const write = jest.fn(async () => {
    if (away) throw new Error("away");
  });
  unsaved.add("one", write);
  unsaved.add("two", write);
  await jest.advanceTimersByTimeAsync(10_000);
  // While the store is away, one attempt for each round is enough.
  expect(write).toHaveBeenCalledTimes(5);
  expect([unsaved.has("one"), unsaved.has("two")]).toEqual([true, true]);
  away = false;
  await jest.advanceTimersByTimeAsync(2_000);
  expect([unsaved.has("one"), unsaved.has("two")]).toEqual([false, false]);
  expect(jest.getTimerCount()).toBe(0);
});

test("a write that the store refuses does not delay the others", async () => {
  const unsaved = new PendingWrites();
  unsaved.add("refused", async () => Promise.reject(new Error("refused")));
  for (const id of ["a", "b", "c"]) unsaved.add(id, async () => undefined);
  await jest.advanceTimersByTimeAsync(4_000);
  expect(["refused", "a", "b", "c"].map((id) => unsaved.has(id))).toEqual([true, false, false, false]);
  unsaved.close();
});

test("a session that ends while it is written is not retried", async () => {
  const unsaved = new PendingWrites();
  unsaved.add("one", async () => {
    unsaved.delete("one");
    throw new Error("away");
  });
  await jest.advanceTimersByTimeAsync(2_000);
  expect(unsaved.has("one")).toBe(false);
  expect(jest.getTimerCount()).toBe(0);
});

test("an event that is added while the session is written is written too", async () => {
  const unsaved = new PendingWrites();
  const changes = ["a"];
  const written: string[] = [];
  const write = async () => {
    const included = changes.splice(0);
    await new Promise((resolve) => setTimeout(resolve, 100));
    written.push(...included);
  };
  unsaved.add("one", write);
  await jest.advanceTimersByTimeAsync(2_050);
  changes.push("b");
  unsaved.add("one", write);
  await jest.advanceTimersByTimeAsync(5_000);
  expect(written).toEqual(["a", "b"]);
  expect(unsaved.has("one")).toBe(false);
});
