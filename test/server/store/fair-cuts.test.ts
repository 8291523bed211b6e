import { expect, test } from "@jest/globals";
import { fairCuts } from "../../../server/store/fair-cuts.ts";

test.each([
  ["no excess", { a: 3, b: 1 }, 0, {}],
  ["from the largest alone", { a: 9, b: 3 }, 4, { a: 4 }],
  ["from the largest until it equals the next, then from both", { a: 9, b: 5, c: 1 }, 8, { a: 6, b: 2 }],
  ["an excess that does not divide evenly", { a: 5, b: 5, c: 5 }, 4, { a: 2, b: 2 }],
  ["an excess larger than the total", { a: 2, b: 1 }, 9, { a: 2, b: 1 }],
])("fairCuts takes from the largest first: %s", (_, sizes, excess, expected) => {
  const cuts = fairCuts(new Map(Object.entries(sizes)), excess);
  expect(Object.fromEntries(cuts)).toEqual(expected);
});
