import { randomFillSync } from "node:crypto";
import type { IncomingMessage } from "node:http";

/** The position of a request in a distributed trace (W3C Trace Context). All values are lower-case hex. */
export interface Trace {
  /** 32 digits, the same in every service that handles the request. */
  readonly traceId: string;
  /** 16 digits: the caller's span. Undefined if the trace starts here. */
  readonly parentId: string | undefined;
  /** 16 digits: this request's own span. */
  readonly spanId: string;
  /** Two digits. The lowest bit says that the caller records the trace. */
  readonly flags: string;
}

/** Random bytes for many ids: a call of the generator for each id takes longer than the rest of a trace. */
const pool = Buffer.alloc(4_096);
let used = pool.length;

/** @returns lower-case hex */
function randomHex(bytes: number): string {
  if (used + bytes > pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  used += bytes;
  return pool.toString("hex", used - bytes, used);
}

const NO_MATCH: readonly string[] = [];
const TRACEPARENT = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;

/**
 * Continues the caller's trace, or starts one if `traceparent` is missing or malformed (W3C Trace Context, sections 3.2 and 4.3: an invalid
 * header is ignored, and the known fields of a later version are read).
 */
export function continueTrace(traceparent: string | undefined): Trace {
  const ids = randomHex(24);
  const spanId = ids.slice(32);
  const known = traceparent === undefined ? null : TRACEPARENT.exec(traceparent);
  const [, version, traceId = "", parentId = "", flags = "0", more] = known ?? NO_MATCH;
  if (
    version === undefined ||
    version === "ff" ||
    (version === "00" && more !== undefined) ||
    /^0+$/.test(traceId) ||
    /^0+$/.test(parentId)
  )
    return { traceId: ids.slice(0, 32), parentId: undefined, spanId, flags: "00" };
  return { traceId, parentId, spanId, flags: (Number.parseInt(flags, 16) & 1) === 1 ? "01" : "00" };
}

/** The header for outgoing calls, and for the response (`traceresponse`), with which a caller can find its log lines. */
export function formatTrace({ traceId, spanId, flags }: Trace): string {
  return `00-${traceId}-${spanId}-${flags}`;
}

const TRACE = Symbol("trace");

/** The trace of a request. Every call for the same request returns the same trace. */
export function traceOf(raw: IncomingMessage & { [TRACE]?: Trace }): Trace {
  let trace = raw[TRACE];
  if (!trace) {
    const header = raw.headers.traceparent;
    trace = continueTrace(typeof header === "string" ? header : undefined);
    raw[TRACE] = trace;
  }
  return trace;
}
