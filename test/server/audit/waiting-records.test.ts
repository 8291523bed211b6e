import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { type CallRecord, callJson } from "../../../server/audit/call-records.ts";
import { recordsOf, WaitingRecords } from "../../../server/audit/waiting-records.ts";

const text = fc.string({ unit: "binary", maxLength: 60 });
const optional = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined });

test("records come out as they went in, also after a write that failed", () => {
  const step = fc.oneof(text, fc.constantFrom("write" as const, "fail" as const));
  fc.assert(
    fc.property(fc.array(step, { maxLength: 50 }), (steps) => {
      const waiting = new WaitingRecords();
      const [given, written]: [unknown[], unknown[]] = [[], []];
      for (const one of [...steps, "write"]) {
        if (one !== "write" && one !== "fail") {
          const record = { type: "test", at: "2026-07-28T00:00:00.000Z", tool: one };
          given.push(JSON.parse(JSON.stringify(record)));
          waiting.add(one.length % 2 === 0 ? record : JSON.stringify(record));
          continue;
        }
        const taken = waiting.take();
        const records = [...recordsOf(taken.lines)].map(([start, end]) =>
          JSON.parse(taken.lines.toString("utf8", start, end)),
        );
        expect(taken.count).toBe(records.length);
        if (one === "write") written.push(...records);
        else waiting.putBack(taken);
      }
      expect(written).toEqual(given);
    }),
  );
});

test("a record that is larger than the memory finds room", () => {
  const waiting = new WaitingRecords();
  const records = [1, 200_000, 3].map((length) => JSON.stringify({ type: "é".repeat(length) }));
  for (const record of records) waiting.add(record);
  expect(waiting.take().lines.toString()).toBe(records.map((record) => `${record}\n`).join(""));
});

test("the record of a call is as JSON.stringify writes it", () => {
  const who = fc.record({ id: text, kind: fc.constant("token"), name: text });
  const event = fc.record({
    at: fc.constant("2026-07-28T00:00:00.000Z"),
    tool: text,
    repository: optional(text),
    outcome: fc.constantFrom("ok" as const, "error" as const, "refused" as const),
    argumentBytes: fc.nat(),
    answerBytes: optional(fc.nat()),
    ms: fc.double({ min: 0, max: 1e6, noNaN: true }),
    requestId: optional(text),
    traceId: optional(fc.stringMatching(/^[0-9a-f]{32}$/)),
    arguments: optional(fc.dictionary(text, fc.jsonValue())),
  }) satisfies fc.Arbitrary<Omit<CallRecord, "who">>;
  fc.assert(
    fc.property(who, event, (caller, { at, ...rest }) => {
      const given = { ...rest, at, who: JSON.stringify(caller) };
      expect(callJson(given)).toBe(JSON.stringify({ type: "tool.call", at, who: caller, ...rest }));
    }),
  );
});
