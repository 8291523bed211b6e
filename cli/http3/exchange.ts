import type { Duplex } from "node:stream";
import type { UnderlyingSource } from "node:stream/web";
import { HttpClientError } from "./errors.ts";
import type { Outgoing } from "./outgoing.ts";
import { upload } from "./upload.ts";

/** One request stream of `node:http2` or of the QUIC client: both emit `response` with pseudo-headers, then data. */
export interface ExchangeStream extends Duplex {
  close(code?: number): void;
}

export type PeerHeaders = Record<string, string | number | string[] | undefined>;

export interface ExchangeOptions {
  /** For error messages. */
  where: string;
  /** Error code that is sent to the peer on cancellation: H3_REQUEST_CANCELLED or HTTP/2 CANCEL. */
  cancelCode: number;
  /** Time limit for the response headers, milliseconds. */
  headersTimeoutMs: number;
  /** Converts the transport's error into one that describes the failure. */
  explain(error: Error): Error;
}

/** Statuses whose responses must be built without a body (Fetch standard, "null body status"). */
const BODILESS = new Set([204, 205, 304]);

/**
 * Runs one request over `stream`, whose headers have been sent, and resolves with the response as soon as its headers
 * arrive. The bodies of both directions flow at the pace of the reader. Redirects are returned, never followed:
 * a token must not be sent to another server.
 * @throws HttpClientError, or the reason of the aborted signal
 */
export function exchange(stream: ExchangeStream, out: Outgoing, options: ExchangeOptions): Promise<Response> {
  const { promise, resolve, reject } = Promise.withResolvers<Response>();
  const over = new AbortController();
  let body: ReadableStreamDefaultController<Uint8Array> | undefined;
  let failure: unknown;
  let ended = false;

  const giveUp = (): void => {
    if (stream.destroyed) return;
    stream.close(options.cancelCode);
    // A paused HTTP/2 stream would wait for a reader for ever.
    stream.resume();
  };
  const fail = (error: unknown): void => {
    if (failure !== undefined || ended) return;
    failure = error;
    reject(error);
    body?.error(error);
    finish();
    giveUp();
  };
  const onAbort = (): void => fail(out.signal?.reason);
  const timer = setTimeout(
    () =>
      fail(
        new HttpClientError(
          "headers-timeout",
          `no response after ${options.headersTimeoutMs} ms`,
          options.where,
        ),
      ),
    options.headersTimeoutMs,
  );
  const finish = (): void => {
    clearTimeout(timer);
    out.signal?.removeEventListener("abort", onAbort);
    over.abort();
  };

  const source: UnderlyingSource<Uint8Array> = {
    start(controller) {
      body = controller;
      stream.on("data", (chunk: Uint8Array) => {
        // Data that was already sent still arrives after the cancellation.
        if (failure !== undefined || ended) return;
        controller.enqueue(chunk);
        if ((controller.desiredSize ?? 0) <= 0) stream.pause();
      });
    },
    pull: () => void stream.resume(),
    cancel() {
      ended = true;
      finish();
      giveUp();
    },
  };

  const onHeaders = (headers: PeerHeaders): void => {
    const status = Number(headers[":status"]);
    // 1xx: the final response follows. NaN: trailers, which fetch does not support.
    if (body !== undefined || !(status >= 200 && status <= 599)) return;
    clearTimeout(timer);
    if (out.redirect === "error" && status >= 300 && status < 400) {
      fail(new HttpClientError("redirect", `unexpected redirect to ${headers.location}`, options.where));
      return;
    }
    const readable = new ReadableStream(source, { highWaterMark: 0 });
    const hasBody = out.method !== "HEAD" && !BODILESS.has(status);
    if (!hasBody) stream.resume();
    const response = new Response(hasBody ? readable : null, { status, headers: toHeaders(headers) });
    Object.defineProperty(response, "url", { value: out.url.href });
    resolve(response);
  };

  stream.on("response", onHeaders);
  stream.on("trailers", onHeaders);
  stream.on("error", (error: Error) => fail(options.explain(error)));
  stream.on("end", () => {
    if (failure !== undefined || ended || body === undefined) return;
    ended = true;
    finish();
    body.close();
    // The peer answered without reading the whole request. This tells it that the rest will not follow.
    if (!stream.writableEnded) giveUp();
  });
  stream.on("close", () => {
    fail(
      new HttpClientError("closed", "the connection ended before the response was complete", options.where),
    );
  });

  if (out.signal?.aborted) onAbort();
  else out.signal?.addEventListener("abort", onAbort, { once: true });
  if (out.body !== undefined && failure === undefined) upload(stream, out.body, over.signal).catch(fail);
  return promise;
}

function toHeaders(headers: PeerHeaders): Headers {
  const result = new Headers();
  for (const [name, value] of Object.entries(headers)) {
    if (name.startsWith(":") || value === undefined) continue;
    for (const one of Array.isArray(value) ? value : [value]) result.append(name, String(one));
  }
  return result;
}
