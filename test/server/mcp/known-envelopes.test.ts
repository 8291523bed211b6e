import { isDeepStrictEqual } from "node:util";
import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { sameJson } from "../../../server/mcp/known-envelopes.ts";

const key = fc.constantFrom("a", "b", "toString", "__proto__", "0");
const { value } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small" },
    fc.constantFrom(null, true, 0, 1, "", "a"),
    fc.array(tie("value"), { maxLength: 2 }),
    fc.dictionary(key, tie("value"), { maxKeys: 3 }),
  ),
}));

test("two values are the same if their JSON is", () => {
  const parsed = value.map((one) => JSON.parse(JSON.stringify(one)) as unknown);
  fc.assert(
    fc.property(parsed, parsed, (one, other) => {
      expect(sameJson(one, JSON.parse(JSON.stringify(one)))).toBe(true);
      expect(sameJson(one, other)).toBe(isDeepStrictEqual(one, other));
    }),
    { numRuns: 2_000 },
  );
});

test.each([
  ['{"__proto__":{}}', '{"a":1}'],
  ['{"a":1}', '{"__proto__":{}}'],
  ['{"b":{"__proto__":{}}}', '{"b":{"a":1}}'],
])("what an object inherits is no member: %s, %s", (one, other) => {
  expect(sameJson(JSON.parse(one), JSON.parse(other))).toBe(false);
});
