/**
 * Text of another computer, for a terminal: control characters (but line ends and tabs) become `?`. They could overwrite what stands there,
 * or, in some terminals, set the clipboard.
 */
const plainText = (text: string): string =>
  text.replace(/[^\P{Cc}\n\t]|[\p{Bidi_Control}\p{Zl}\p{Zp}]/gu, "?");

/** The same value with plainText for each string in it. @param value of JSON */
export function withPlainTexts<T>(value: T): T {
  if (value === undefined) return value;
  return JSON.parse(JSON.stringify(value), (_, part) => (typeof part === "string" ? plainText(part) : part));
}
