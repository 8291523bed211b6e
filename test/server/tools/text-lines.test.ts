import { describe, expect, test } from "@jest/globals";
import { cut } from "../../../server/tools/text-lines.ts";

const all = (text: string, maxChars: number) => {
  let read = "";
  let range = { from: 1, to: undefined, column: 1 };
  for (let calls = 0; calls < 10_000; calls++) {
    const part = cut(text, range, maxChars);
    read += part.text;
    if (part.next_line === null) return read;
    if (part.next_column === null) read += "\n";
    range = { from: part.next_line, to: undefined, column: part.next_column ?? 1 };
  }
  throw new Error("the answers lead nowhere");
};

describe("cut", () => {
  test("a last line without an end of line counts", () => {
    expect(cut("a\nb", { from: 1, to: undefined }, 99).total_lines).toBe(2);
  });

  test("lines end by LF or CRLF; neither is part of them", () => {
    expect(cut("a\r\nb\r\n", { from: 1, to: undefined }, 99)).toMatchObject({ text: "a\nb", total_lines: 2 });
  });

  test.each([
    ["one long line", "x".repeat(5_000), 100],
    ["a long line among others", `a\nb\n${"y".repeat(500)}\nc`, 60],
    ["characters of two units", "\u{1f600}".repeat(300), 50],
    ["a limit below one character", "\u{1f600}ab", 1],
    ["empty lines", "\n\n\na", 3],
  ])("%s: following next_line and next_column gives all of it", (_, text, max) => {
    expect(all(text, max)).toBe(text);
  });

  test("beyond the end of a line or a file there is no text", () => {
    expect(cut("abc", { from: 1, to: 1, column: 9 }, 99)).toMatchObject({ text: "", next_line: null });
    expect(cut("abc", { from: 7, to: undefined }, 99)).toMatchObject({
      text: "",
      end_line: 6,
      next_line: null,
    });
  });
});
