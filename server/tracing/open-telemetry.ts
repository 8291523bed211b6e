import { randomBytes } from "node:crypto";
import {
  type Context,
  context,
  propagation,
  type Span,
  SpanKind,
  SpanStatusCode,
  trace,
} from "@opentelemetry/api";
import { NodeSDK } from "@opentelemetry/sdk-node";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { formatTrace, type Trace } from "../http/trace.ts";
import { ToolError } from "../tool-error.ts";
import type { Tool } from "../tools/tool.ts";
import { NAME, VERSION } from "../version.ts";
import { inMessageSpan, McpMessages } from "./mcp-messages.ts";
import type { Tracing } from "./tracing.ts";

export interface OpenTelemetryOptions {
  /** Default: the program's name. */
  readonly serviceName: string | undefined;
  /** Whether spans and metrics are exported. */
  readonly spans: boolean;
  readonly metrics: boolean;
  /** Attributes of every request's span. */
  readonly release: string;
  readonly slot: string;
}

/** Gives a request's span the ids that its log lines have, and every other span random ones. */
class ChosenIds {
  chosen: Pick<Trace, "traceId" | "spanId"> | undefined;
  generateTraceId = () => this.chosen?.traceId ?? randomBytes(16).toString("hex");
  generateSpanId = () => this.chosen?.spanId ?? randomBytes(8).toString("hex");
}

/**
 * The OpenTelemetry SDK, set up by its own environment variables. Imported only when it is wanted: it is larger than the server.
 * Names and attributes follow the semantic conventions; none holds a query, a header's value, an argument or an answer.
 */
export class OpenTelemetry implements Tracing {
  readonly messages: McpMessages;
  readonly #ids = new ChosenIds();
  readonly #sdk: NodeSDK;
  readonly #about: Record<string, string>;
  readonly #contexts = new WeakMap<FastifyRequest, Context>();

  constructor({ serviceName, spans, metrics, release, slot }: OpenTelemetryOptions) {
    this.#sdk = new NodeSDK({
      serviceName: serviceName ?? NAME,
      idGenerator: this.#ids,
      logRecordProcessors: [],
      // Otherwise the SDK makes them by its variables.
      ...(spans ? {} : { spanProcessors: [] }),
      ...(metrics ? {} : { metricReaders: [] }),
    });
    this.#sdk.start();
    this.messages = new McpMessages();
    this.#about = { "mcp_edge.release": release, "mcp_edge.colour": slot };
  }

  get #tracer() {
    return trace.getTracer(NAME, VERSION);
  }

  register(app: FastifyInstance): void {
    app.addHook("onRequest", (request, reply, done) => {
      const span = this.#start(request);
      const flags = `0${span.spanContext().traceFlags.toString(16)}`;
      reply.header("traceresponse", formatTrace({ ...request.trace, flags }));
      reply.raw.once("close", () => end(span, request, reply));
      done();
    });
    // The body's arrival has lost the context that an earlier hook set: from here on it holds.
    app.addHook("preHandler", (request, _reply, done) => {
      const active = this.#contexts.get(request);
      if (active) context.with(active, done);
      else done();
    });
  }

  #start(request: FastifyRequest): Span {
    const { traceId, parentId, flags } = request.trace;
    const caller = {
      traceId,
      spanId: parentId ?? "",
      traceFlags: Number.parseInt(flags, 16),
      isRemote: true,
    };
    let parent = propagation.extract(context.active(), request.headers);
    parent = parentId ? trace.setSpanContext(parent, caller) : trace.deleteSpan(parent);
    this.#ids.chosen = request.trace;
    const span = this.#tracer.startSpan(
      request.method,
      {
        kind: SpanKind.SERVER,
        attributes: {
          "http.request.method": request.method,
          "url.path": request.url.split("?", 1)[0] ?? "",
          "url.scheme": request.protocol,
          "client.address": request.ip,
          "mcp_edge.request_id": request.id,
          ...this.#about,
        },
      },
      parent,
    );
    this.#ids.chosen = undefined;
    this.#contexts.set(request, trace.setSpan(parent, span));
    return span;
  }

  tool(tool: Tool): Tool {
    this.messages.tools.add(tool.name);
    return {
      ...tool,
      run: async (args, given) => {
        if (inMessageSpan()) return tool.run(args, given);
        return this.#tracer.startActiveSpan(
          `execute_tool ${tool.name}`,
          { attributes: { "gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": tool.name } },
          async (span) => {
            try {
              return await tool.run(args, given);
            } catch (error) {
              // The message may hold an argument: only its kind is told.
              const kind = given.signal.aborted
                ? "cancelled"
                : error instanceof ToolError
                  ? "refused"
                  : "failed";
              span.setAttribute("error.type", kind);
              if (kind === "failed") span.setStatus({ code: SpanStatusCode.ERROR });
              throw error;
            } finally {
              span.end();
            }
          },
        );
      },
    };
  }

  async close(): Promise<void> {
    await this.#sdk.shutdown();
  }
}

function end(span: Span, request: FastifyRequest, reply: FastifyReply): void {
  const route = request.routeOptions.url;
  if (route) span.updateName(`${request.method} ${route}`).setAttribute("http.route", route);
  if (request.principal) span.setAttribute("mcp_edge.principal", request.principal.id);
  if (reply.raw.headersSent) span.setAttribute("http.response.status_code", reply.raw.statusCode);
  else span.setAttribute("error.type", "client_closed");
  if (reply.raw.headersSent && reply.raw.statusCode >= 500) span.setStatus({ code: SpanStatusCode.ERROR });
  span.end();
}
