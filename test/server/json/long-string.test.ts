import { readFile } from "node:fs/promises";
import { describe, expect, jest, test } from "@jest/globals";
import * as fc from "fast-check";
import { ESCAPE_MODULE } from "../../../server/json/escape-module.ts";
import { LONG, longString, MAX } from "../../../server/json/long-string.ts";
import { measuredString } from "../../../server/json/text.ts";
import { WebAssembly } from "../../../server/web-assembly.ts";
import { compiledEscape } from "../../support/compile-escape.ts";
import { longText, measured } from "./long-text.ts";

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
