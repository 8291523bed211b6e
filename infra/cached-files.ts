import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { readdir, rename, rm, stat, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** A file that no command used for this time, milliseconds, is deleted. The next command that needs it makes it again. */
export const UNUSED_MS = 14 * 24 * 3_600_000;

/** @returns whether all of the files exist; if so, they count as used now */
export async function useCached(...files: string[]): Promise<boolean> {
  if (!files.every((file) => existsSync(file))) return false;
  const now = new Date();
  // Another user of this host may own the file.
  await Promise.all(files.map((file) => utimes(file, now, now).catch(() => undefined)));
  return true;
}

/** Writes a file whole or not at all, also when two processes write the same one. Then deletes what its folder has not needed for long. */
export async function writeCached(file: string, content: Buffer | string): Promise<void> {
  await makeCached(file, (partial) => writeFile(partial, content));
}

/** As `writeCached`, for a program that writes the file itself. */
export async function makeCached(file: string, make: (partial: string) => Promise<unknown>): Promise<void> {
  const partial = `${file}.${randomUUID()}.partial`;
  try {
    await make(partial);
    await rename(partial, file);
  } finally {
    await rm(partial, { force: true });
  }
  await deleteUnused(join(file, ".."));
}

/** Deletes the files of a folder that nobody used for `UNUSED_MS`. */
async function deleteUnused(folder: string, now = Date.now()): Promise<void> {
  for (const name of await readdir(folder)) {
    const file = join(folder, name);
    // Another process may delete the same file.
    const found = await stat(file).catch(() => undefined);
    if (found?.isFile() && now - found.mtimeMs > UNUSED_MS) await rm(file, { force: true });
  }
}
