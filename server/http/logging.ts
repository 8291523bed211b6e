import type { FastifyServerOptions } from "fastify";
import type { ServerConfig } from "../config/config.ts";
import { isoTime } from "../iso-time.ts";

/** Receives whole lines. */
export interface LogStream {
  write(line: string): void;
}

/**
 * Logs one JSON object per line to standard output. Pino's transports are not used: they are worker threads that load files, and a bundle
 * has none. lifecycle.ts logs the requests: method, path without its query, and status, never headers or bodies.
 */
export function loggerOptions(
  config: Pick<ServerConfig, "logLevel" | "slot" | "release" | "dev">,
  stream?: LogStream,
): NonNullable<FastifyServerOptions["logger"]> {
  const target =
    stream ??
    (config.dev && process.stdout.isTTY ? { write: writePretty } : new BatchedLines(process.stdout));
  return {
    level: config.logLevel,
    base: config.dev ? {} : { pid: process.pid, colour: config.slot, release: config.release.slice(0, 12) },
    timestamp: () => `,"time":"${isoTime()}"`,
    formatters: { level: (label) => ({ level: label }) },
    serializers: {
      req: (request) => ({ method: request.method, path: request.url.split("?", 1)[0] }),
      res: (reply) => ({ status: reply.statusCode }),
    },
    stream: target,
  };
}

/** Lines wait at most this time, milliseconds, and this many characters. */
const BATCH_MS = 100;
const BATCH_CHARS = 16 * 1024;

/**
 * Writes several lines at once: under load, a system call for each line takes longer than the rest of a request's bookkeeping. Errors are
 * written at once, and what waits is written when the process exits.
 */
export class BatchedLines implements LogStream {
  readonly #target: LogStream;
  #waiting = "";
  #timer: NodeJS.Timeout | undefined;

  constructor(target: LogStream) {
    this.#target = target;
    process.once("exit", () => this.flush());
  }

  write(line: string): void {
    this.#waiting += line;
    if (this.#waiting.length > BATCH_CHARS || /^\{"level":"(error|fatal)"/.test(line)) this.flush();
    else this.#timer ??= setTimeout(() => this.flush(), BATCH_MS).unref();
  }

  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#waiting === "") return;
    const lines = this.#waiting;
    this.#waiting = "";
    this.#target.write(lines);
  }
}

/** Writes `12:00:00 info  msg key=value`, for a terminal. */
function writePretty(line: string): void {
  const { time, level, msg, ...rest } = JSON.parse(line) as Record<string, unknown>;
  const fields = Object.entries(rest).map(
    ([key, value]) => `${key}=${typeof value === "string" ? value : JSON.stringify(value)}`,
  );
  process.stdout.write(
    `${String(time).slice(11, 19)} ${String(level).padEnd(5)} ${msg} ${fields.join(" ")}\n`,
  );
}
