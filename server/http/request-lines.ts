import type { ServerConfig } from "../config/config.ts";
import { isoTime } from "../iso-time.ts";
import { jsonString } from "../json/text.ts";
import type { LogStream } from "./log-stream.ts";

/** What the log says of a request when it has ended. */
export interface RequestLine {
  readonly level: "debug" | "info";
  readonly requestId: string;
  readonly traceId: string;
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  readonly status: number;
  readonly durationMs: number;
  /** The client's address. */
  readonly client: string;
  /** Undefined for a request without a credential. */
  readonly principal: string | undefined;
  /** The client left before the answer was complete. */
  readonly aborted: boolean;
}

/** The values of LOG_LEVEL with which lines of a level are written. */
const SHOWN = {
  debug: new Set(["trace", "debug"]),
  info: new Set(["trace", "debug", "info"]),
} as const;

/**
 * Makes the function that logs requests. Its lines are as Pino writes them with the same options, member for member. Pino collects, filters
 * and escapes the members of any object, which takes longer than all other bookkeeping of a request.
 *
 * @param base the members that all lines have
 */
export function requestLines(
  { logLevel }: Pick<ServerConfig, "logLevel">,
  base: Readonly<Record<string, unknown>>,
  stream: LogStream,
): (line: RequestLine) => void {
  const own = Object.entries(base).map(([name, value]) => `,"${name}":${JSON.stringify(value)}`);
  const shared = own.join("");
  return ({ level, requestId, traceId, method, path, status, durationMs, client, principal, aborted }) => {
    if (!SHOWN[level].has(logLevel)) return;
    const who = principal === undefined ? "" : `,"principal":${jsonString(principal)}`;
    stream.write(
      `{"level":"${level}","time":"${isoTime()}"${shared},"request_id":${jsonString(requestId)},"trace_id":"${traceId}","method":${jsonString(method)},"path":${jsonString(path)},"status":${status},"duration_ms":${durationMs},"client":${jsonString(client)}${who}${aborted ? ',"aborted":true' : ""},"msg":"request"}\n`,
    );
  };
}
