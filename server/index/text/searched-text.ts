import { isAscii, isUtf8 } from "node:buffer";
import { closeSync, constants, fstatSync, openSync, readlinkSync, readSync, type Stats } from "node:fs";
import { join } from "node:path";
import { fileText } from "../../workspace/file-text.ts";
import { MAX_FILE_BYTES } from "../../workspace/served-file.ts";

/** For files up to this size no memory is allocated, bytes. */
const SCRATCH_BYTES = 1024 * 1024;
const scratch = Buffer.allocUnsafeSlow(SCRATCH_BYTES);

export interface ReadFile {
  /** Valid until the next file is read. */
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
    return stat.size > MAX_FILE_BYTES ? { bytes: undefined } : { bytes: readAll(fd, stat.size), stat };
  } catch {
    return undefined;
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

/** The content of a file. It may have become shorter; what was added since then is seen by a later search. */
function readAll(fd: number, size: number): Buffer {
  const buffer = size <= SCRATCH_BYTES ? scratch : Buffer.allocUnsafeSlow(size);
  let end = 0;
  for (let read = -1; end < size && read !== 0; end += read)
    read = readSync(fd, buffer, end, size - end, null);
  return buffer.subarray(0, end);
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
  // Nearly all files. This is several times faster than to decode UTF-8.
  const text = isAscii(bytes) && !bytes.includes(0) ? bytes.toString("latin1") : fileText(bytes);
  if (text === undefined) return "binary";
  if (isUtf16(bytes) ? text.includes("\ufffd") : !isUtf8(bytes)) return "odd";
  if (text.includes("\0") || (text.includes("\r") && /\r(?!\n)/.test(text))) return "odd";
  return { text };
}

/** Whether a file may have a text, given as UTF-8. */
export function mayHold(bytes: Buffer, text: Buffer): boolean {
  return isUtf16(bytes) || bytes.includes(text);
}

const isUtf16 = (bytes: Buffer) =>
  (bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff);
