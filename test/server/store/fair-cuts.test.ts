import { expect, test } from "@jest/globals";
import { fairCuts } from "../../../server/store/fair-cuts.ts";

test.each([
  ["nothing too much", { a: 3, b: 1 }, 0, {}],
  ["the largest alone", { a: 9, b: 3 }, 4, { a: 4 }],
  ["down to the next, then both", { a: 9, b: 5, c: 1 }, 8, { a: 6, b: 2 }],
  ["a remainder", { a: 5, b: 5, c: 5 }, 4, { a: 2, b: 2 }],
  ["more than there is", { a: 2, b: 1 }, 9, { a: 2, b: 1 }],
])("who has most gives first: %s", (_, sizes, excess, expected) => {
  const cuts = fairCuts(new Map(Object.entries(sizes)), excess);
  expect(Object.fromEntries(cuts)).toEqual(expected);
});
