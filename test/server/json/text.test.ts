import { describe, expect, test } from "@jest/globals";
import * as fc from "fast-check";
import { LONG } from "../../../server/json/long-string.ts";
import { measuredJson } from "../../../server/json/text.ts";
import { longText, measured } from "./long-text.ts";

describe("an object as JSON", () => {
  const long = 'line "one"\n'.repeat(LONG);

  test.each<[string, object]>([
    ["a long text", { text: long }],
    ["long texts among others", { a: 1, text: long, b: [long, { text: long }], more: `${long}é` }],
    ["members without a value", { a: undefined, text: long, b: () => 1, c: Symbol("c"), d: null }],
    ["names in another order", { text: long, 2: long, 1: long, "": long }],
    ["a name of the language", JSON.parse(`{"__proto__":${JSON.stringify(long)},"text":"x"}`)],
    ["a name that needs an escape", { 'a"b\\c\n': long }],
    ["an array", [long, 1, undefined]],
    ["an object that says itself what it is", { text: long, toJSON: () => ({ other: long }) }],
    ["an instance that does", new URL(`https://example.com/${"x".repeat(LONG)}`)],
    ["a text without its other half", { text: `${long}\ud83d`, other: long }],
    ["nothing", {}],
  ])("with %s is what JSON.stringify writes", (_, value) => {
    expect({ ...measuredJson(value) }).toEqual(measured(JSON.stringify(value)));
  });

  test("of any kind is what JSON.stringify writes", () => {
    const member = fc.oneof(longText, fc.jsonValue());
    fc.assert(
      fc.property(fc.dictionary(fc.string(), member), (value) => {
        expect({ ...measuredJson(value) }).toEqual(measured(JSON.stringify(value)));
      }),
      { numRuns: 500 },
    );
  });
});
