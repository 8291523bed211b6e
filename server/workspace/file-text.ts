/** A NUL byte among this number of first bytes means binary, as in git (buffer_is_binary). */
const BINARY_PROBE = 8_000;

/**
 * The text of a file: UTF-8, or UTF-16 with a byte order mark (as PowerShell and Notepad write it). The mark is not part of the text.
 * Bytes that are not UTF-8 become U+FFFD.
 *
 * @returns undefined for a binary file
 */
export function fileText(bytes: Buffer): string | undefined {
  if (bytes[0] === 0xff && bytes[1] === 0xfe && !(bytes[2] === 0 && bytes[3] === 0))
    return new TextDecoder("utf-16le").decode(bytes);
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return new TextDecoder("utf-16be").decode(bytes);
  if (bytes.subarray(0, BINARY_PROBE).includes(0)) return undefined;
  const start = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0;
  return bytes.toString("utf8", start);
}
