import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { type Link, LinkedList } from "../../server/linked-list.ts";
import { ReusedMap } from "../../server/reused-map.ts";
import { WeightedCache } from "../../server/weighted-cache.ts";

const key = fc.nat(9);

test("a LinkedList has its values in the order in which they were added, whichever are removed", () => {
  const step = fc.oneof(fc.constant("add" as const), fc.constant("shift" as const), fc.nat(20));
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const list = new LinkedList<number>();
      const links: Link<number>[] = [];
      let expected: number[] = [];
      for (const one of steps) {
        if (one === "add") {
          expected.push(links.length);
          links.push(list.add(links.length));
        } else if (one === "shift") {
          list.shift();
          expected.shift();
        } else if (links[one]) {
          list.remove(links[one]);
          expected = expected.filter((value) => value !== one);
        }
        expect([...list]).toEqual(expected);
        expect(list.first).toBe(expected[0]);
        const even = (value: number) => value % 2 === 0;
        expect(list.findLast(even)?.value).toBe(expected.findLast(even));
      }
      list.clear();
      expect([...list]).toEqual([]);
    }),
  );
});

test("a value of a LinkedList may be removed while the values are read", () => {
  const list = new LinkedList<string>();
  const links = ["a", "b", "c"].map((value) => list.add(value));
  const read: string[] = [];
  for (const value of list) {
    read.push(value);
    for (const link of links) list.remove(link);
  }
  expect(read).toEqual(["a", "b", "c"]);
  expect(list.first).toBeUndefined();
});

describe("ReusedMap", () => {
  test("is a Map", () => {
    const step = fc.tuple(fc.boolean(), key, fc.nat());
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const map = new ReusedMap<number, number>();
        const expected = new Map<number, number>();
        for (const [sets, one, value] of steps) {
          if (sets) {
            map.set(one, value);
            expected.set(one, value);
          } else {
            map.delete(one);
            expected.delete(one);
          }
          expect([map.size, map.get(one)]).toEqual([expected.size, expected.get(one)]);
        }
      }),
    );
  });

  test("forgets keys without a value when there are many", () => {
    const map = new ReusedMap<number, string>();
    for (let n = 0; n < 50_000; n++) {
      map.set(n, "x");
      if (n >= 10) map.delete(n);
      expect(map.keys).toBeLessThanOrEqual(1_011);
    }
    expect(map.size).toBe(10);
    expect(map.get(9)).toBe("x");
  });
});

describe("WeightedCache", () => {
  test("never weighs more than its limit, and has each value that it has not dropped", () => {
    const step = fc.tuple(fc.constantFrom("get", "set", "delete"), key, fc.integer({ min: 1, max: 40 }));
    fc.assert(
      fc.property(fc.array(step, { maxLength: 100 }), (steps) => {
        const cache = new WeightedCache<number, number>(100, 30);
        const weights = new Map<number, number>();
        for (const [what, one, weight] of steps) {
          if (what === "get") cache.get(one);
          else if (what === "delete") cache.delete(one);
          else cache.set(one, weight, weight);
          if (what === "set" && weight <= 30) expect(cache.get(one)).toBe(weight);
          for (let n = 0; n < 10; n++) {
            const value = cache.get(n);
            if (value === undefined) weights.delete(n);
            else weights.set(n, value);
          }
          expect(cache.weight).toBe([...weights.values()].reduce((sum, value) => sum + value, 0));
          expect(cache.weight).toBeLessThanOrEqual(100);
        }
      }),
    );
  });

  test("spares a value that is used again and again", () => {
    const cache = new WeightedCache<string, number>(10);
    cache.set("used", 0);
    for (let n = 0; n < 1_000; n++) {
      expect(cache.get("used")).toBe(0);
      cache.set(`other ${n}`, n);
    }
    expect(cache.get("other 999")).toBe(999);
    expect(cache.get("other 900")).toBeUndefined();
  });
});
