import type { FastifyReply, FastifyRequest } from "fastify";
import { clientAddress } from "./client-address.ts";
import type { RequestLine } from "./request-lines.ts";
import { traceOf } from "./trace.ts";

/** Counts the requests in flight, logs each of them, and holds whether the server is draining. */
export class Lifecycle {
  draining = false;
  /** Called for every request when its response has ended or its client has disconnected. */
  onEnded: (request: FastifyRequest, reply: FastifyReply) => void = () => undefined;
  #inFlight = 0;
  #idle: (() => void)[] = [];
  readonly #log: (line: RequestLine) => void;

  /** @param log writes the line of a request that has ended */
  constructor(log: (line: RequestLine) => void) {
    this.#log = log;
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  /**
   * Counts a request until the `close` event of its raw response. Unlike Fastify's onResponse, this event is also emitted when the client
   * disconnects before the response is complete.
   */
  begin(request: FastifyRequest, reply: FastifyReply): void {
    this.#inFlight++;
    const { raw } = reply;
    // Emitted once. `once` would add a wrapper and a removal to each request.
    raw.on("close", () => {
      this.#inFlight--;
      if (this.#inFlight === 0) for (const wake of this.#idle.splice(0)) wake();
      this.onEnded(request, reply);
      const { url, principal } = request;
      const query = url.indexOf("?");
      const path = query < 0 ? url : url.slice(0, query);
      this.#log({
        level: path === "/readyz" || path === "/metrics" ? "debug" : "info",
        requestId: request.id,
        traceId: traceOf(request.raw).traceId,
        method: request.method,
        path,
        status: raw.statusCode,
        durationMs: Math.round(reply.elapsedTime),
        client: clientAddress(request),
        principal: principal?.id,
        aborted: !raw.writableFinished,
      });
    });
  }

  /** Resolves to true once nothing is in flight, or to false after `limitMs`. */
  async idle(limitMs: number): Promise<boolean> {
    if (this.#inFlight === 0) return true;
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const timer = setTimeout(() => resolve(false), limitMs);
    this.#idle.push(() => resolve(true));
    return promise.finally(() => clearTimeout(timer));
  }
}
