import { classifyInboundRequest } from "@modelcontextprotocol/server";
import type { McpRequest } from "./exchange.ts";
import { isKept } from "./kept-results.ts";
import type { PlainRequest } from "./plain-request.ts";

/** The revision that plain requests may name. */
export const MODERN = "2026-07-28";
const VERSION_KEY = "io.modelcontextprotocol/protocolVersion";
/** Envelopes that are remembered. A client sends the same in each request. */
const MAX_ENVELOPES = 1_000;
/** Longer ones are not remembered, characters. */
const MAX_ENVELOPE = 2_000;

/** Recognizes plain requests of the 2026 era whose envelope the SDK has accepted before, and whose headers say what the body says. */
export class KnownEnvelopes {
  readonly #known = new Set<string>();
  /** The last one that was accepted: to compare takes less time than to convert to text. */
  #last: object = {};

  accepts({ http, body }: McpRequest, { method, params, meta }: PlainRequest): boolean {
    const { headers } = http.request;
    if (meta[VERSION_KEY] !== MODERN || headers["mcp-protocol-version"] !== MODERN) return false;
    if (headers["mcp-method"] !== method) return false;
    // Only these may be answered without the SDK. A call names its tool in a header (SEP-2243).
    if (method === "tools/call" ? headers["mcp-name"] !== params.name : !isNameless(method)) return false;
    const envelope = envelopeOf(meta);
    if (sameJson(envelope, this.#last)) return true;
    const text = JSON.stringify(envelope);
    if (this.#known.has(text)) {
      this.#last = envelope;
      return true;
    }
    const { kind } = classifyInboundRequest({
      httpMethod: "POST",
      protocolVersionHeader: MODERN,
      mcpMethodHeader: method,
      body,
    });
    if (kind !== "modern" || text.length > MAX_ENVELOPE) return kind === "modern";
    if (this.#known.size >= MAX_ENVELOPES) this.#known.clear();
    this.#known.add(text);
    return true;
  }
}

function isNameless(method: string): boolean {
  return isKept(method, "modern") || method === "subscriptions/listen";
}

/** Without what differs in each request of a client. */
function envelopeOf(meta: PlainRequest["meta"]): object {
  const { progressToken, traceparent, tracestate, baggage } = meta;
  // A copy takes longer than the rest.
  if ((progressToken ?? traceparent ?? tracestate ?? baggage) === undefined) return meta;
  const { progressToken: _, traceparent: __, tracestate: ___, baggage: ____, ...envelope } = meta;
  return envelope;
}

/** Whether two values of JSON are the same, in whichever order their members are. */
export function sameJson(one: unknown, other: unknown): boolean {
  if (one === other) return true;
  if (!isCollection(one) || !isCollection(other) || Array.isArray(one) !== Array.isArray(other)) return false;
  let members = 0;
  for (const key in one) {
    if (!Object.hasOwn(other, key) || !sameJson(one[key], other[key])) return false;
    members++;
  }
  for (const _ in other) members--;
  return members === 0;
}

function isCollection(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}
