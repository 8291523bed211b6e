import * as fc from "fast-check";
import { LONG } from "../../../server/json/long-string.ts";

/** Texts around the length from which escape.wat is used. Its step is 16 bytes. */
export const longText = fc
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

/** What MeasuredJson has of a JSON text. */
export const measured = (text: string) => ({ text, bytes: Buffer.byteLength(text) });
