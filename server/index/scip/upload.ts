import { createWriteStream } from "node:fs";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { ToolError } from "../../tool-error.ts";

/** Largest SCIP file of a client, bytes. NGINX takes as much (servers.conf.liquid). */
const MAX_UPLOAD_BYTES = 512 * 1024 * 1024;
const PREFIX = "upload-";
let isBusy = false;

/**
 * Writes a stream to a file, and removes the file when `use` is done. One at a time, so that uploads cannot fill the disk.
 *
 * @param dir INDEX_DIR
 * @throws ToolError if the stream is too large, or another one is being received
 */
export async function withUpload<T>(
  dir: string,
  stream: AsyncIterable<Buffer>,
  signal: AbortSignal,
  use: (file: string) => Promise<T>,
): Promise<T> {
  if (isBusy) throw new ToolError("Another index is being received. Try again in a minute.");
  isBusy = true;
  let folder: string | undefined;
  try {
    folder = await mkdtemp(join(dir, PREFIX));
    const file = join(folder, "index.scip");
    await pipeline(stream, limited, createWriteStream(file, { mode: 0o600 }), { signal });
    return await use(file);
  } finally {
    isBusy = false;
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  }
}

async function* limited(stream: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let bytes = 0;
  for await (const chunk of stream) {
    bytes += chunk.length;
    if (bytes > MAX_UPLOAD_BYTES)
      throw new ToolError(`The index has more than ${MAX_UPLOAD_BYTES / 1024 ** 2} MiB. Upload it in parts.`);
    yield chunk;
  }
}

/** Removes what a killed process was receiving. */
export async function removeUploads(dir: string): Promise<void> {
  for (const name of await readdir(dir))
    if (name.startsWith(PREFIX)) await rm(join(dir, name), { recursive: true, force: true });
}
