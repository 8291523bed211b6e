import {
  type Attributes,
  type Context,
  context,
  createContextKey,
  type Histogram,
  type Link,
  metrics,
  propagation,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
} from "@opentelemetry/api";
import type { McpRequest } from "../mcp/exchange.ts";
import type { MessageObserver } from "../mcp/message-observer.ts";
import { NAME, VERSION } from "../version.ts";
import { exchangeAttributes, messageAttributes } from "./mcp-attributes.ts";
import { OpenMessage } from "./open-message.ts";

/** What the semantic conventions recommend, seconds. */
const BUCKETS = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 120, 300];

/** Set in the context of work that has the span of an MCP message. */
const IN_MESSAGE = createContextKey("mcp message");

/** Whether the current work has the span of an MCP message, which stands for the call of the tool too. */
export function inMessageSpan(): boolean {
  return context.active().getValue(IN_MESSAGE) === true;
}

interface Sent {
  readonly method?: unknown;
  readonly id?: unknown;
  readonly params?: unknown;
}

/**
 * A span and a duration for each request and notification of a client, by the semantic conventions for MCP
 * (https://opentelemetry.io/docs/specs/semconv/gen-ai/mcp/). A context in `params._meta` (SEP-414) is the parent of the span, which then links
 * to the span of the HTTP request.
 */
export class McpMessages implements MessageObserver {
  /** The tools there are. Clients name others, and must not create time series. */
  readonly tools = new Set<string>();
  readonly #operations: Histogram;
  readonly #sessions: Histogram;

  constructor() {
    const meter = metrics.getMeter(NAME, VERSION);
    const histogram = (name: string, description: string) =>
      meter.createHistogram(name, {
        description,
        unit: "s",
        advice: { explicitBucketBoundaries: BUCKETS },
      });
    this.#operations = histogram(
      "mcp.server.operation.duration",
      "Time from a request or notification until its result or acknowledgment is sent",
    );
    this.#sessions = histogram("mcp.server.session.duration", "Time that a session is in memory");
  }

  async observe(request: McpRequest, work: () => Promise<void>): Promise<void> {
    const { http, body } = request;
    if (http.method !== "POST") return work();
    const shared = exchangeAttributes(http, body);
    const open = new Set<OpenMessage>();
    let inside: Context | undefined;
    for (const sent of (Array.isArray(body) ? body : [body]) as Sent[]) {
      // What is not an object, or answers a request of ours, is no operation.
      if (typeof sent?.method !== "string") continue;
      const { message, within } = this.#start(sent, shared);
      open.add(message);
      inside = within;
    }
    if (open.size === 0 || !inside) return work();
    http.onAnswer = (text) => {
      for (const message of open) if (message.answered(text)) open.delete(message);
    };
    http.onClose(() => {
      const { headersSent, statusCode } = http.raw;
      for (const message of open) message.closed(headersSent ? statusCode : undefined);
      open.clear();
    });
    // The work of a batch cannot be told apart: it stays within the request's own span.
    return open.size === 1 ? context.with(inside, work) : work();
  }

  sessionEnded(seconds: number): void {
    this.#sessions.record(seconds, { "network.protocol.name": "http" });
  }

  #start(sent: Sent, shared: { span: Attributes; metric: Attributes }) {
    const own = messageAttributes(sent, this.tools);
    const ambient = context.active();
    const { parent, links } = parentOf(sent, ambient);
    const span = trace.getTracer(NAME, VERSION).startSpan(
      own.name,
      {
        kind: SpanKind.SERVER,
        attributes: { ...shared.span, ...own.span },
        links,
      },
      parent,
    );
    const startedAt = performance.now();
    const listens = sent.method === "subscriptions/listen";
    const message = new OpenMessage({ id: sent.id, prompt: own.prompt, listens }, (answer) => {
      const { code, error, prompt } = answer;
      const ended: Attributes = { ...own.metric };
      if (prompt !== undefined) {
        ended["gen_ai.prompt.name"] = prompt;
        span.updateName(`${own.name} ${prompt}`);
      }
      if (code !== undefined) ended["rpc.response.status_code"] = code;
      if (error !== undefined) {
        ended["error.type"] = error;
        // Without the message, which may hold an argument.
        span.setStatus({ code: SpanStatusCode.ERROR });
      }
      span.setAttributes(ended).end();
      this.#operations.record((performance.now() - startedAt) / 1_000, { ...shared.metric, ...ended });
    });
    return { message, within: trace.setSpan(ambient, span).setValue(IN_MESSAGE, true) };
  }
}

/** The client's context, if the message has one, else that of the HTTP request. */
function parentOf({ params }: Sent, ambient: Context): { parent: Context; links: Link[] } {
  const meta = (params as { _meta?: unknown } | null | undefined)?._meta;
  const given = typeof meta === "object" && meta !== null ? textFields(meta) : {};
  const parent = given.traceparent === undefined ? ROOT_CONTEXT : propagation.extract(ROOT_CONTEXT, given);
  if (!trace.getSpanContext(parent)) return { parent: ambient, links: [] };
  const http = trace.getSpanContext(ambient);
  return { parent, links: http ? [{ context: http }] : [] };
}

function textFields(meta: object): Record<string, string> {
  const found: Record<string, string> = {};
  for (const [key, value] of Object.entries(meta)) if (typeof value === "string") found[key] = value;
  return found;
}
