import type { FastifyReply, FastifyRequest } from "fastify";

/** Counts the requests in flight, writes their log lines, and knows whether the server is draining. */
export class Lifecycle {
  draining = false;
  /** Called for every request once its answer has ended or its client has left. */
  onEnded: (request: FastifyRequest, reply: FastifyReply) => void = () => undefined;
  #inFlight = 0;
  #idle: (() => void)[] = [];

  get inFlight(): number {
    return this.#inFlight;
  }

  /**
   * Counts a request until the `close` of its raw response, which also comes when the client leaves before the answer is complete
   * (Fastify's onResponse does not).
   */
  begin(request: FastifyRequest, reply: FastifyReply): void {
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
  }

  /** Resolves with true once nothing is in flight, with false if that takes longer than `limitMs`. */
  async idle(limitMs: number): Promise<boolean> {
    if (this.#inFlight === 0) return true;
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const timer = setTimeout(() => resolve(false), limitMs);
    this.#idle.push(() => resolve(true));
    return promise.finally(() => clearTimeout(timer));
  }
}
