import fp from "fastify-plugin";
import type { EventStream } from "../http/event-stream.ts";
import { requireAllowedHost } from "../http/hosts.ts";
import { networkOf, siteOf } from "../http/network.ts";
import type { Streams } from "../http/streams.ts";
import { EVERY_REQUEST } from "./every-request.ts";

/** Open demo streams at the same time; the route asks for no token. */
const MAX_OPEN = 50;
/** Of these, open for one network and, for IPv6, for the site around it. */
const MAX_PER_NETWORK = 10;
const MAX_PER_SITE = 20;
/** Shortest time between two events, milliseconds: with all streams open that is 500 small writes a second. */
const MIN_INTERVAL_MS = 100;
/** Longest life of a demo stream, milliseconds: nobody keeps a place for good. */
const MAX_LIFE_MS = 3_600_000;

/** `text` as a whole number within [min, max], or the default when it is none. */
function clamped(text: unknown, fallback: number, min: number, max: number): number {
  return typeof text === "string" && /^\d{1,9}$/.test(text)
    ? Math.min(max, Math.max(min, Number(text)))
    : fallback;
}

export interface DemoStreamOptions {
  readonly hosts: string[];
  readonly streams: Streams;
  readonly keepAliveMs: number;
}

/**
 * `GET /demo/stream`: an event each second, a keep-alive comment each 15 s, to see with any client that nothing on the way buffers.
 * `?n=` events (default and most: as many as fit into an hour), `?ms=` between them (default 1000, 100 to 60000). `Last-Event-ID` goes
 * on counting. Nothing is produced for a client that does not read.
 */
export const demoStream = fp<DemoStreamOptions>(
  async (app, { hosts, streams, keepAliveMs }) => {
    let open = 0;
    const openBy = new Map<string, number>();
    const count = (keys: readonly string[], by: 1 | -1) => {
      open += by;
      for (const key of keys) {
        const left = (openBy.get(key) ?? 0) + by;
        if (left > 0) openBy.set(key, left);
        else openBy.delete(key);
      }
    };
    app.get<{ Querystring: Record<string, unknown> }>(
      "/demo/stream",
      { exposeHeadRoute: false, onRequest: requireAllowedHost(hosts) },
      async (request, reply) => {
        if (open >= MAX_OPEN)
          return reply
            .code(503)
            .header("retry-after", "5")
            .send({ error: "Too many demo streams are open; try again soon" });
        const network = networkOf(request.ip);
        const site = siteOf(network);
        if (
          (openBy.get(network) ?? 0) >= MAX_PER_NETWORK ||
          (site !== undefined && (openBy.get(site) ?? 0) >= MAX_PER_SITE)
        )
          return reply
            .code(429)
            .header("retry-after", "5")
            .send({
              error: `This network has too many demo streams open (${MAX_PER_NETWORK} at most); close one, or try again soon`,
            });
        const keys = site === undefined ? [network] : [network, site];
        count(keys, 1);
        const intervalMs = clamped(request.query.ms, 1_000, MIN_INTERVAL_MS, 60_000);
        const most = MAX_LIFE_MS / intervalMs;
        const total = clamped(request.query.n, Math.floor(most), 1, Math.floor(most));
        const from = clamped(request.headers["last-event-id"], 0, 0, total);
        const source = ticks(from, total, intervalMs, keepAliveMs);
        const stream = streams.open(reply, {
          route: "/demo/stream",
          longLived: true,
          paced: true,
          onRoom: () => source.resume(),
          onEnd: () => {
            count(keys, -1);
            source.stop();
          },
        });
        source.start(stream);
        return reply;
      },
    );
  },
  { name: "demo-stream", dependencies: [...EVERY_REQUEST] },
);

/** Sends an event when it is due and the client has read the one before, and a comment when nothing was due for `keepAliveMs`. */
function ticks(from: number, total: number, intervalMs: number, keepAliveMs: number) {
  let n = from;
  let [tickAt, keepAt] = [performance.now(), performance.now() + keepAliveMs];
  let timer: NodeJS.Timeout | undefined;
  let stream: EventStream | undefined;
  const schedule = () => {
    clearTimeout(timer);
    timer = setTimeout(send, Math.max(0, Math.min(tickAt, keepAt) - performance.now()));
  };
  const send = () => {
    if (stream?.over !== false) return;
    if (n >= total) return stream.finish();
    const now = performance.now();
    let text = ": keep-alive\n\n";
    if (now < tickAt) keepAt = now + keepAliveMs;
    else {
      tickAt = now + intervalMs;
      n++;
      const data = JSON.stringify({ n, of: total, time: new Date().toISOString() });
      text = `id: ${n}\nevent: tick\ndata: ${data}\n\n`;
    }
    // Without room, `resume` goes on.
    if (!stream.send(text)) return;
    if (n >= total) stream.finish();
    else schedule();
  };
  return {
    start: (to: EventStream) => {
      stream = to;
      send();
    },
    resume: schedule,
    stop: () => clearTimeout(timer),
  };
}
