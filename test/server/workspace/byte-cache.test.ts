import { describe, expect, test } from "@jest/globals";
import { ByteCache, sizeInMemory } from "../../../server/workspace/byte-cache.ts";
import { keptResult } from "../../../server/workspace/kept-result.ts";

describe("ByteCache", () => {
  test("drops the least recently used entries to stay below its limit", () => {
    const cache = new ByteCache(100);
    for (const key of ["a", "b", "c"]) cache.set(key, key, 30);
    expect(cache.get("a")).toBe("a");
    cache.set("d", "d", 30);
    expect(["a", "b", "c", "d"].map((key) => cache.get(key))).toEqual(["a", undefined, "c", "d"]);
    expect(cache.bytes).toBe(90);
    cache.set("d", "D", 10);
    cache.delete("a");
    expect(cache.bytes).toBe(40);
  });

  test("does not keep an entry that would take more than half of it", () => {
    const cache = new ByteCache(100);
    cache.set("small", 1, 50);
    cache.set("large", 1, 51);
    expect([cache.get("small"), cache.get("large"), cache.bytes]).toEqual([1, undefined, 50]);
  });

  test("holds its limit with results of any number and size", async () => {
    const cache = new ByteCache(1_000_000);
    for (let n = 0; n < 2_000; n++) {
      const lines = Array.from({ length: n % 50 }, (_, line) => `line ${line} of result ${n}`);
      await keptResult(`result ${n}`, undefined, async () => ({ lines, n }), cache);
      expect(cache.bytes).toBeLessThanOrEqual(cache.maxBytes);
    }
    expect(cache.bytes).toBeGreaterThan(cache.maxBytes / 2);
  });
});

describe("sizeInMemory", () => {
  test("counts what a value holds, and is not below what the engine needs", () => {
    expect(sizeInMemory("x".repeat(100))).toBeGreaterThanOrEqual(100);
    expect(sizeInMemory({ text: ["x".repeat(100), 1] })).toBeGreaterThan(sizeInMemory("x".repeat(100)));
    expect(sizeInMemory(new Set(["x".repeat(100)]))).toBeGreaterThan(sizeInMemory(["x".repeat(100)]));
  });
});

describe("keptResult", () => {
  test("computes a result once, and again after a failure", async () => {
    const cache = new ByteCache(10_000);
    let runs = 0;
    const ask = (fails = false) =>
      keptResult(
        "k",
        undefined,
        async () => {
          runs++;
          if (fails) throw new Error("failed");
          return runs;
        },
        cache,
      );
    await expect(ask(true)).rejects.toThrow("failed");
    expect(await Promise.all([ask(), ask()])).toEqual([2, 2]);
    expect(await ask()).toBe(2);
  });

  test("ends a computation only when each call that needs it is cancelled", async () => {
    const cache = new ByteCache(10_000);
    const [one, other] = [new AbortController(), new AbortController()];
    let computing: AbortSignal | undefined;
    const result = Promise.withResolvers<string>();
    const ask = (signal: AbortSignal) =>
      keptResult(
        "k",
        signal,
        (shared) => {
          computing = shared;
          return result.promise;
        },
        cache,
      );
    const first = ask(one.signal);
    const second = ask(other.signal);
    one.abort(new Error("cancelled"));
    await expect(first).rejects.toThrow("cancelled");
    expect(computing?.aborted).toBe(false);
    other.abort(new Error("cancelled too"));
    await expect(second).rejects.toThrow("cancelled too");
    expect(computing?.aborted).toBe(true);
    result.resolve("late");
  });
});
