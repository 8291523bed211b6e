import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { MemoryBuckets } from "../../../server/http/limits/buckets.ts";

describe("MemoryBuckets", () => {
  test("a full bucket gives a burst, then one token each 1/rate seconds", async () => {
    let now = 0;
    const buckets = new MemoryBuckets({ now: () => now });
    const take = () => buckets.take("a", 2, 4);
    expect(await take()).toEqual({ allowed: true, left: 1, waitMs: 0 });
    expect(await take()).toEqual({ allowed: true, left: 0, waitMs: 0 });
    expect(await take()).toEqual({ allowed: false, left: 0, waitMs: 250 });
    now += 100;
    expect(await take()).toEqual({ allowed: false, left: 0, waitMs: 150 });
    now += 150;
    expect(await take()).toMatchObject({ allowed: true });
    expect(await take()).toMatchObject({ allowed: false });
  });

  test("each key has its own bucket, and the least recently used bucket is dropped", async () => {
    const buckets = new MemoryBuckets({ max: 2, now: () => 0 });
    for (const key of ["a", "b", "a", "c"]) await buckets.take(key, 5, 1);
    expect(buckets.size).toBe(2);
    expect(await buckets.take("a", 5, 1)).toMatchObject({ left: 2 });
    expect(await buckets.take("b", 5, 1)).toMatchObject({ left: 4 });
  });

  test("never allows more than the burst and the rate", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(400), { maxLength: 60 }), async (pauses) => {
        let now = 0;
        const buckets = new MemoryBuckets({ now: () => now });
        let consumed = 0;
        for (const pause of pauses) {
          now += pause;
          if ((await buckets.take("a", 3, 10)).allowed) consumed++;
        }
        expect(consumed).toBeLessThanOrEqual(3 + Math.ceil((now / 1_000) * 10));
      }),
    );
  });
});
