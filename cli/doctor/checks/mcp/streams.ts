import { type Check, CheckFailure } from "../../check.ts";
import type { Context } from "../../context.ts";

type Protocol = "http3" | "http2";
const NAMES = { http3: "HTTP/3", http2: "HTTP/2" } as const;

/** The server sends a comment every 15 s. One second is added for the network. */
const KEEP_ALIVE_LIMIT_MS = 16_000;
/** Additional time to connect. */
const KEEP_ALIVE_CHECK_MS = 17_500;

const BUFFERING_FIX =
  "Let nothing on the way collect the stream, in NGINX: proxy_buffering off; gzip off; the server must send " +
  "X-Accel-Buffering: no";

function open(context: Context, protocol: Protocol, signal: AbortSignal): Promise<Response> {
  const client = protocol === "http3" ? context.http3() : context.http2();
  const headers = { accept: "text/event-stream" };
  return client.fetch(`${context.target.origin}/demo/stream`, { headers, signal });
}

async function reader(response: Response): Promise<ReadableStreamDefaultReader<Uint8Array>> {
  const type = response.headers.get("content-type") ?? "no content type";
  if (response.status === 200 && type.startsWith("text/event-stream") && response.body) {
    return response.body.getReader();
  }
  await response.body?.cancel();
  throw new CheckFailure(`status ${response.status}, ${type} instead of text/event-stream`);
}

/** The time to the first byte of an event stream, which shows that no proxy buffers it. */
export function firstByte(protocol: Protocol): Check {
  const name = NAMES[protocol];
  return {
    id: `sse-${protocol}`,
    title: `SSE over ${name}`,
    needs: [protocol],
    tried: ({ target }) => `GET ${target.origin}/demo/stream over ${name}, until its first byte`,
    async run(context, signal) {
      const started = performance.now();
      const stream = await reader(await open(context, protocol, signal));
      const { done } = await stream.read();
      const ms = Math.round(performance.now() - started);
      await stream.cancel();
      if (done) throw new CheckFailure("the stream ended without a byte");
      return `first byte after ${ms} ms`;
    },
    fix: () => BUFFERING_FIX,
  };
}

/** Whether an idle stream is kept alive by comments, so that no middlebox closes it. */
export function keepAlive(protocol: Protocol, limitMs = KEEP_ALIVE_LIMIT_MS): Check {
  const name = NAMES[protocol];
  return {
    id: `keep-alive-${protocol}`,
    title: `Keep-alive over ${name}`,
    needs: [`sse-${protocol}`],
    limitMs: limitMs + KEEP_ALIVE_CHECK_MS - KEEP_ALIVE_LIMIT_MS,
    tried: ({ target }) =>
      `GET ${target.origin}/demo/stream over ${name}, for a comment within ${limitMs / 1000} s`,
    async run(context, signal) {
      const over = AbortSignal.timeout(limitMs);
      const started = performance.now();
      const stream = await reader(await open(context, protocol, AbortSignal.any([signal, over])));
      try {
        for (let text = "", seen = 0; ; ) {
          const { done, value } = await stream.read();
          if (done) throw new CheckFailure("the stream ended before a keep-alive came");
          text += Buffer.from(value).toString("latin1");
          const lines = text.split("\n");
          text = lines.pop() ?? "";
          for (const line of lines) {
            // The first comment opens the stream and is not a keep-alive.
            if (line.startsWith(":") && seen++ > 0)
              return `after ${((performance.now() - started) / 1000).toFixed(1)} s`;
          }
        }
      } catch (error) {
        if (over.aborted) throw new CheckFailure(`no keep-alive comment within ${limitMs / 1000} s`);
        throw error;
      } finally {
        await stream.cancel().catch(() => undefined);
      }
    },
    fix: () =>
      "Send a comment (`: keep-alive`) on every open stream each 15 s and keep proxies from ending it: proxy_read_timeout 1h;",
  };
}
