/**
 * What a text takes of an answer, in "characters": as JSON has it, and three for each that is not ASCII, since a tokenizer makes a token of
 * about three characters of code, but of one Chinese character. So a limit in characters is a limit in tokens.
 */
export function sizeOfText(text: string): number {
  let size = 0;
  for (let at = 0; at < text.length; at++) size += costOf(text.charCodeAt(at));
  return size;
}

function costOf(code: number): number {
  if (code === 0x22 || code === 0x5c) return 2;
  if (code >= 0x20 && code < 0x7f) return 1;
  if (code >= 0x7f) return 3;
  // \n, \t and their like have short escapes.
  return code >= 8 && code <= 13 && code !== 11 ? 2 : 6;
}

/** What a value takes as JSON, by the same measure. */
export function sizeOf(value: unknown): number {
  const json = JSON.stringify(value);
  let size = json.length;
  for (let at = 0; at < json.length; at++) if (json.charCodeAt(at) >= 0x7f) size += 2;
  return size;
}

/** The beginning of a text that takes no more than `max`; never half of a character. */
export function beginning(text: string, max: number): string {
  let left = max;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    left -= costOf(code);
    if (left < 0) return text.slice(0, isLow(code) ? Math.max(0, at - 1) : at);
  }
  return text;
}

/** The second half of a pair of UTF-16 units. */
const isLow = (code: number) => code >= 0xdc00 && code <= 0xdfff;
