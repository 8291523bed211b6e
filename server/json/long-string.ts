import { WebAssembly } from "../web-assembly.ts";
import { ESCAPE_MODULE } from "./escape-module.ts";

/**
 * From this length on, escape.wat is faster than JSON.stringify, characters. At 500 characters it takes a third of the time, at 20,000 a
 * fifth.
 */
export const LONG = 500;
/** Longer texts are left to JSON.stringify, so that the memory here stays small. */
export const MAX = 128 * 1024;

// The memory of escape.wat, bytes: the table of the escapes, a text, and its JSON. Between them are the 16 bytes that it may read or write beyond.
const TEXT = 8 * 128;
const JSON_TEXT = TEXT + 3 * MAX + 16;
// A control character becomes six bytes; one that UTF-8 has three bytes for stays as it is.
const SIZE = JSON_TEXT + 6 * MAX + 2 + 16;
const QUOTE = 0x22;

/** JSON text of a string, and its length in UTF-8. */
export interface JsonOfString {
  readonly text: string;
  readonly bytes: number;
}

interface Escape {
  readonly memory: Buffer;
  /** See escape.wat. */
  escapeJson(from: number, end: number, to: number): number;
}

// At once, not with the first text: index/baseline-module.ts turns the optimizing compiler off for moments, for what is compiled then.
const loaded = load();

/**
 * A long string as JSON.stringify writes it.
 *
 * @returns undefined for what has to be left to JSON.stringify: a short text, a very long one, and one with half of a surrogate pair, which
 *   UTF-8 cannot have; and everything on a processor without the instructions (SSE 4.1, on x64)
 */
export function longString(text: string): JsonOfString | undefined {
  if (text.length < LONG || text.length > MAX || !text.isWellFormed()) return undefined;
  if (!loaded) return undefined;
  const { memory, escapeJson } = loaded;
  const length = memory.write(text, TEXT, "utf8");
  memory[JSON_TEXT] = QUOTE;
  const end = escapeJson(TEXT, TEXT + length, JSON_TEXT + 1);
  memory[end] = QUOTE;
  const isAscii = length === text.length;
  return {
    text: memory.toString(isAscii ? "latin1" : "utf8", JSON_TEXT, end + 1),
    bytes: end + 1 - JSON_TEXT,
  };
}

/** @returns undefined if the processor does not have the instructions */
function load(): Escape | undefined {
  const binary = Buffer.from(ESCAPE_MODULE, "base64");
  if (!WebAssembly.validate(binary)) return undefined;
  const { memory, escapeJson } = new WebAssembly.Instance(new WebAssembly.Module(binary)).exports as {
    memory: { buffer: ArrayBuffer };
    escapeJson: Escape["escapeJson"];
  };
  if (memory.buffer.byteLength < SIZE) throw new Error(`escape.wat needs ${SIZE} bytes of memory`);
  const bytes = Buffer.from(memory.buffer);
  for (let byte = 0; byte < 128; byte++) {
    const escaped = JSON.stringify(String.fromCharCode(byte)).slice(1, -1);
    bytes.write(escaped, 8 * byte, "latin1");
    bytes[8 * byte + 7] = escaped.length;
  }
  return { memory: bytes, escapeJson };
}
