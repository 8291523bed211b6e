import type { FastifyServerOptions } from "fastify";
import type { ServerConfig } from "../config/config.ts";
import { isoTime } from "../iso-time.ts";
import { BatchedLines, type LogStream } from "./log-stream.ts";
import { type RequestLine, requestLines } from "./request-lines.ts";

/** The log of the server. */
export interface ServerLog {
  /** For Fastify. */
  readonly options: NonNullable<FastifyServerOptions["logger"]>;
  /** Writes the line of a request that has ended. */
  readonly request: (line: RequestLine) => void;
}

/**
 * Logs one JSON object per line to standard output. Pino's transports are not used: they are worker threads that load files, and a bundle
 * has none. request-lines.ts logs the requests: method, path without its query, and status, never headers or bodies.
 */
export function serverLog(
  config: Pick<ServerConfig, "logLevel" | "slot" | "release" | "dev">,
  target?: LogStream,
): ServerLog {
  const base = config.dev
    ? {}
    : { pid: process.pid, colour: config.slot, release: config.release.slice(0, 12) };
  const stream =
    target ??
    (config.dev && process.stdout.isTTY ? { write: writePretty } : new BatchedLines(process.stdout, base));
  return {
    options: {
      level: config.logLevel,
      base,
      timestamp: () => `,"time":"${isoTime()}"`,
      formatters: { level: (label) => ({ level: label }) },
      serializers: {
        req: (request) => ({ method: request.method, path: request.url.split("?", 1)[0] }),
        res: (reply) => ({ status: reply.statusCode }),
      },
      stream,
    },
    request: requestLines(config, base, stream),
  };
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
