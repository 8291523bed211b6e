import { expect, test } from "@jest/globals";
import { fileText } from "../../../server/workspace/file-text.ts";

const bigEndian = (text: string) => Buffer.from(text, "utf16le").swap16();

test.each<[string, Buffer, string | undefined]>([
  ["UTF-8", Buffer.from("\u00fcber"), "\u00fcber"],
  ["UTF-8 with a byte order mark", Buffer.from("\ufeff\u00fcber"), "\u00fcber"],
  ["UTF-16LE with its mark", Buffer.from("\ufeffWrite-Host", "utf16le"), "Write-Host"],
  ["UTF-16BE with its mark", bigEndian("\ufeff\u00fcber"), "\u00fcber"],
  ["an empty file", Buffer.alloc(0), ""],
  ["a file that is only a mark", Buffer.from([0xff, 0xfe]), ""],
  ["bytes that are not UTF-8", Buffer.from([0x61, 0xff, 0x62]), "a\ufffdb"],
  ["a NUL byte", Buffer.from("a\0b"), undefined],
  ["UTF-32LE, which nothing here reads", Buffer.from([0xff, 0xfe, 0, 0, 0x61, 0, 0, 0]), undefined],
])("%s", (_, bytes, text) => expect(fileText(bytes)).toBe(text));
