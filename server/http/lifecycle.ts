import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";

/** Counts the requests in flight, writes their log lines, and knows whether the server is draining. */
export class Lifecycle {
  draining = false;
  /** Told of every request when its answer is over, or its client gone. */
  onEnded: (request: FastifyRequest, reply: FastifyReply) => void = () => undefined;
  #inFlight = 0;
  #idle: (() => void)[] = [];

  get inFlight(): number {
    return this.#inFlight;
  }

  /**
   * Hooks on the raw response's `close`, which also comes when the client goes away in the middle (Fastify's onResponse does not).
   */
  register(app: FastifyInstance): void {
    app.addHook("onRequest", async (request, reply) => {
      this.#inFlight++;
      reply.raw.once("close", () => {
        this.#inFlight--;
        if (this.#inFlight === 0) for (const wake of this.#idle.splice(0)) wake();
        this.onEnded(request, reply);
        const line = {
          method: request.method,
          path: request.url.split("?", 1)[0],
          status: reply.raw.statusCode,
          duration_ms: Math.round(reply.elapsedTime),
          client: request.ip,
          ...(request.principal ? { principal: request.principal.id } : {}),
          ...(reply.raw.writableFinished ? {} : { aborted: true }),
        };
        if (line.path === "/readyz" || line.path === "/metrics") request.log.debug(line, "request");
        else request.log.info(line, "request");
      });
    });
    app.addHook("onSend", async (_request, reply) => {
      if (this.draining) reply.header("connection", "close");
    });
  }

  /** Resolves with true once nothing is in flight, with false when `limitMs` is over before. */
  async idle(limitMs: number): Promise<boolean> {
    if (this.#inFlight === 0) return true;
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const timer = setTimeout(() => resolve(false), limitMs);
    this.#idle.push(() => resolve(true));
    return promise.finally(() => clearTimeout(timer));
  }
}
