import { isUtf8 } from "node:buffer";
import { closeSync, constants, fstatSync, openSync, readFileSync, readlinkSync, type Stats } from "node:fs";
import { join } from "node:path";
import { fileText } from "../../workspace/file-text.ts";
import { MAX_FILE_BYTES } from "../../workspace/served-file.ts";

export interface ReadFile {
  readonly bytes: Buffer;
  readonly stat: Stats;
}

/**
 * Reads a file of a work tree, as openResolved() and TreeReader do it: nothing outside of it, no links, no devices. In a thread of its own the
 * synchronous calls cost a fifth of the others.
 *
 * @returns undefined for what cannot be read or is not a regular file; no bytes for a file that is too large to be searched
 */
export function readInside(root: string, path: string): ReadFile | { bytes: undefined } | undefined {
  const file = join(root, path);
  let fd: number | undefined;
  try {
    fd = openSync(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    if (openedPath(fd, file) !== file) return undefined;
    const stat = fstatSync(fd);
    if (!stat.isFile()) return undefined;
    return stat.size > MAX_FILE_BYTES ? { bytes: undefined } : { bytes: readFileSync(fd), stat };
  } catch {
    return undefined;
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

function openedPath(fd: number, expected: string): string {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`);
  } catch {
    // There is no /proc on macOS, in development.
    return expected;
  }
}

/**
 * The text that ripgrep searches.
 *
 * @returns "binary" for a file that ripgrep does not search; "odd" for one of which only ripgrep itself knows what it finds: bytes that are not
 *   UTF-8, a NUL far from the start, a line break that is a CR alone
 */
export function searchedText(bytes: Buffer): { text: string } | "binary" | "odd" {
  const text = fileText(bytes);
  if (text === undefined) return "binary";
  const isUtf16 = (bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff);
  if (isUtf16 ? text.includes("\ufffd") : !isUtf8(bytes)) return "odd";
  if (text.includes("\0") || (text.includes("\r") && /\r(?!\n)/.test(text))) return "odd";
  return { text };
}
