import { type FileHandle, lstat } from "node:fs/promises";
import { FairQueue } from "../shares/fair-queue.ts";
import { ToolError } from "../tool-error.ts";
import { fileText } from "./file-text.ts";
import { openResolved } from "./open-resolved.ts";
import { type InsidePath, insidePath } from "./paths.ts";
import type { Repository, Workspace } from "./workspace.ts";

/** Larger files are not source code, and reading one would take the memory of many calls. Bytes. */
export const MAX_FILE_BYTES = 16 * 1024 * 1024;

/** The text of a file; undefined for a binary file. */
export interface FileText {
  given: string;
  size: number;
  text: string | undefined;
}

export function textOf({ given, bytes }: { given: string; bytes: Buffer }): FileText {
  return { given, size: bytes.length, text: fileText(bytes) };
}

/**
 * A file of the work tree that callers may see.
 *
 * @throws ToolError that says why the path is not such a file
 */
export async function servedFile(workspace: Workspace, repo: Repository, path: string): Promise<InsidePath> {
  const file = await insidePath(repo, path);
  if (await workspace.shows(repo, file.real)) return file;
  throw new ToolError(await notServed(file.absolute, file.given));
}

/** Reads a file of the work tree that callers may see. @throws ToolError that says why it cannot be read */
export async function servedText(
  workspace: Workspace,
  repo: Repository,
  path: string,
  signal: AbortSignal,
): Promise<FileText> {
  const { absolute, given } = await servedFile(workspace, repo, path);
  return textOf({ given, bytes: await readRegularFile(absolute, given, signal) });
}

/** Reads a file whose path is resolved. @throws ToolError for what is not a regular file of at most MAX_FILE_BYTES */
export async function readRegularFile(absolute: string, given: string, signal: AbortSignal): Promise<Buffer> {
  const handle = await openResolved(absolute).catch((error: NodeJS.ErrnoException) => {
    throw new ToolError(`${JSON.stringify(given)} cannot be opened (${error.code ?? "unreadable"}).`);
  });
  try {
    const stat = await handle.stat();
    if (stat.isDirectory())
      throw new ToolError(
        `${JSON.stringify(given)} is a submodule or a repository of its own. Such are not served.`,
      );
    if (!stat.isFile()) throw new ToolError(`${JSON.stringify(given)} is not a regular file.`);
    if (stat.size > MAX_FILE_BYTES)
      throw new ToolError(
        `${JSON.stringify(given)} has ${stat.size} bytes; read_file reads at most ${MAX_FILE_BYTES}. Use search_text with context.`,
      );
    return await readWhole(handle, stat.size, signal);
  } finally {
    await handle.close();
  }
}

async function notServed(absolute: string, given: string): Promise<string> {
  const stat = await lstat(absolute).catch(() => undefined);
  if (stat?.isDirectory())
    return `${JSON.stringify(given)} is a folder. Call list_files with path ${JSON.stringify(given)}.`;
  if (stat && !stat.isFile()) return `${JSON.stringify(given)} is not a regular file.`;
  return `${JSON.stringify(given)} is ignored by git or is in a submodule. Such files are not served; list_files lists those that are.`;
}

/** Smaller files are read without a place in the queue, bytes. */
const LARGE_BYTES = 1024 * 1024;
/** Longest wait for a place, milliseconds. */
const WAIT_MS = 10_000;

/** A file of 16 MiB takes several times its size while it is split into lines: a few calls at once would fill the memory. */
export const largeReads = new FairQueue({
  what: "large files",
  capacity: 2,
  perCaller: 1,
  maxWaiting: 64,
});

/**
 * Reads an open file whole.
 *
 * @param size its size, bytes @throws LimitReached if too many large files are being read
 */
export async function readWhole(handle: FileHandle, size: number, signal: AbortSignal): Promise<Buffer> {
  if (size <= LARGE_BYTES) return handle.readFile({ signal });
  const release = await largeReads.enter({ signal, waitMs: WAIT_MS });
  try {
    return await handle.readFile({ signal });
  } finally {
    release();
  }
}
