import type { FastifyInstance } from "fastify";
import { SSE_HEADERS, type Streams } from "./streams.ts";

/** Open demo streams at the same time; the route asks for no token. */
const MAX_OPEN = 500;

/** `text` as a whole number within [min, max], or the default when it is none. */
function clamped(text: unknown, fallback: number, min: number, max: number): number {
  return typeof text === "string" && /^\d{1,9}$/.test(text)
    ? Math.min(max, Math.max(min, Number(text)))
    : fallback;
}

/**
 * `GET /demo/stream`: an event each second, a keep-alive comment each 15 s, to see with any client that nothing on the way buffers.
 * `?n=` events (default 3600, at most 86400), `?ms=` between them (default 1000, 20 to 60000). `Last-Event-ID` goes on counting.
 */
export function registerDemoStream(app: FastifyInstance, streams: Streams, keepAliveMs: number): void {
  let open = 0;
  app.get<{ Querystring: Record<string, unknown> }>(
    "/demo/stream",
    { exposeHeadRoute: false },
    async (request, reply) => {
      if (open >= MAX_OPEN)
        return reply
          .code(503)
          .header("retry-after", "5")
          .send({ error: "Too many demo streams are open; try again soon" });
      open++;
      const total = clamped(request.query.n, 3_600, 1, 86_400);
      const intervalMs = clamped(request.query.ms, 1_000, 20, 60_000);
      const from = clamped(request.headers["last-event-id"], 0, 0, total);
      const body = streams.track(ticks(from, total, intervalMs, keepAliveMs), {
        route: "/demo/stream",
        standing: true,
        log: request.log,
        onEnd: () => open--,
      });
      return reply.send(new Response(body, { headers: SSE_HEADERS }));
    },
  );
}

function ticks(
  from: number,
  total: number,
  intervalMs: number,
  keepAliveMs: number,
): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  let n = from;
  let ticking: NodeJS.Timeout | undefined;
  let keeping: NodeJS.Timeout | undefined;
  const stop = () => {
    clearInterval(ticking);
    clearInterval(keeping);
  };
  return new ReadableStream<Uint8Array>({
    start(controller) {
      const tick = () => {
        if (n < total) {
          n++;
          const data = JSON.stringify({ n, of: total, time: new Date().toISOString() });
          controller.enqueue(encoder.encode(`id: ${n}\nevent: tick\ndata: ${data}\n\n`));
        }
        if (n >= total) {
          stop();
          controller.close();
        }
      };
      ticking = setInterval(tick, intervalMs);
      keeping = setInterval(() => controller.enqueue(encoder.encode(": keep-alive\n\n")), keepAliveMs);
      tick();
    },
    cancel: stop,
  });
}
