import type { FastifyBaseLogger } from "fastify";

const LEVELS = ["trace", "debug", "info", "warn", "error", "fatal", "silent"] as const;

/**
 * The log of one request: a child of the server's log, whose lines name the request. The child is made when a handler logs for the first
 * time. Most requests log only the line at their end (see lifecycle.ts), and a child takes longer than such a line.
 */
class RequestLog {
  readonly #make: () => FastifyBaseLogger;
  #own: FastifyBaseLogger | undefined;

  constructor(make: () => FastifyBaseLogger) {
    this.#make = make;
  }

  get own(): FastifyBaseLogger {
    this.#own ??= this.#make();
    return this.#own;
  }

  get level(): string {
    return this.own.level;
  }

  set level(level: string) {
    this.own.level = level;
  }

  child(...given: Parameters<FastifyBaseLogger["child"]>): FastifyBaseLogger {
    return this.own.child(...given);
  }
}

for (const level of LEVELS)
  Object.defineProperty(RequestLog.prototype, level, {
    value(this: RequestLog, ...given: unknown[]) {
      (this.own[level] as (...given: unknown[]) => void)(...given);
    },
  });

/** @param make makes the child */
export function requestLog(make: () => FastifyBaseLogger): FastifyBaseLogger {
  return new RequestLog(make) as unknown as FastifyBaseLogger;
}
