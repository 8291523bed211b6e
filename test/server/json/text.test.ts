import { readFile } from "node:fs/promises";
import { describe, expect, jest, test } from "@jest/globals";
import * as fc from "fast-check";
import { ESCAPE_MODULE } from "../../../server/json/escape-module.ts";
import { LONG, longString, MAX } from "../../../server/json/long-string.ts";
import { measuredJson, measuredString } from "../../../server/json/text.ts";
import { WebAssembly } from "../../../server/web-assembly.ts";
import { compiledEscape } from "../../support/compile-escape.ts";

/** Texts around the length from which escape.wat is used. Its step is 16 bytes. */
const longText = fc
  .tuple(
    fc.array(
      fc.oneof(
        fc.string({ unit: "binary", maxLength: 40 }),
        fc.string({ unit: "grapheme", maxLength: 40 }),
        fc.string({
          unit: fc.constantFrom(...'"\\/\b\f\n\r\t\0\u001f\u007f', "\u2028", "é", "→", "😀"),
          maxLength: 20,
        }),
        fc.nat(40).map((length) => "plain text, ".repeat(4).slice(0, length)),
      ),
      { maxLength: 40 },
    ),
    fc.integer({ min: LONG - 20, max: LONG + 40 }),
  )
  .map(([parts, length]) => parts.join("").padEnd(length, ".:"));

const measured = (text: string) => ({ text, bytes: Buffer.byteLength(text) });

describe("a long string as JSON", () => {
  test("escape-module.ts is what escape.wat compiles to (npm run wasm)", async () => {
    const wat = await readFile(new URL("../../../server/json/escape.wat", import.meta.url), "utf8");
    expect(Buffer.from(await compiledEscape(wat)).toString("base64")).toBe(ESCAPE_MODULE);
  });

  test("is what JSON.stringify writes, with its length in UTF-8", () => {
    fc.assert(
      fc.property(longText, (text) => {
        expect({ ...measuredString(text) }).toEqual(measured(JSON.stringify(text)));
      }),
      { numRuns: 2_000 },
    );
  });

  test.each(Array.from({ length: 128 }, (_, code) => code))("escapes character %i wherever it is", (code) => {
    const character = String.fromCharCode(code);
    for (let at = 0; at < 40; at++) {
      const text = "a".repeat(LONG + at) + character + "b".repeat(40 - at);
      expect(longString(text)).toEqual(measured(JSON.stringify(text)));
    }
    const all = character.repeat(LONG + 7);
    expect(longString(all)).toEqual(measured(JSON.stringify(all)));
  });

  test("keeps nothing of an earlier, longer text", () => {
    const [long, short] = ['"'.repeat(5 * LONG), "x".repeat(LONG)];
    longString(long);
    expect(longString(short)?.text).toBe(`"${short}"`);
  });

  test.each(["\0", '"', "x", "é", "→"])("has room for the longest text, of %j alone", (character) => {
    const text = character.repeat(MAX);
    expect(longString(text)).toEqual(measured(JSON.stringify(text)));
  });

  test.each([
    ["a text that is short", "x".repeat(LONG - 1)],
    ["a text that is too long", "x".repeat(MAX + 1)],
    ["half of a surrogate pair at the end", `${"x".repeat(LONG)}\ud83d`],
    ["half of a surrogate pair in between", `${"x".repeat(LONG)}\ude00x`],
  ])("leaves %s to JSON.stringify", (_, text) => {
    expect(longString(text)).toBeUndefined();
    expect({ ...measuredString(text) }).toEqual(measured(JSON.stringify(text)));
  });
});

test("a processor without the instructions leaves everything to JSON.stringify", async () => {
  const validate = jest.spyOn(WebAssembly, "validate").mockReturnValue(false);
  try {
    jest.resetModules();
    const fresh = await import("../../../server/json/long-string.ts");
    expect(fresh.longString("x".repeat(LONG))).toBeUndefined();
    expect(validate).toHaveBeenCalledTimes(1);
  } finally {
    validate.mockRestore();
  }
});

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
