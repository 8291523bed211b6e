import { once } from "node:events";
import type { Writable } from "node:stream";

/** Larger writes are split, since the QUIC client copies each one into its queue. */
const SLICE = 64 * 1024;

async function* slices(body: Uint8Array | ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  const parts = body instanceof Uint8Array ? [body] : (body as AsyncIterable<Uint8Array>);
  for await (const part of parts) {
    for (let from = 0; from < part.byteLength; from += SLICE) yield part.subarray(from, from + SLICE);
  }
}

/**
 * Sends a request body at the pace of the peer and ends the stream's writing side.
 * Returns early, without an error, when `stop` is aborted: the peer may answer before it has read everything.
 */
export async function upload(
  stream: Writable,
  body: Uint8Array | ReadableStream<Uint8Array>,
  stop: AbortSignal,
): Promise<void> {
  try {
    for await (const slice of slices(body)) {
      if (stop.aborted) return;
      if (!stream.write(slice)) await once(stream, "drain", { signal: stop });
    }
    if (!stop.aborted) stream.end();
  } catch (error) {
    if (!stop.aborted) throw error;
  }
}
