import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from "fastify";

/** A JSON-RPC 2.0 error body for a request whose id could not be read; `request_id` finds it in the log. */
export function jsonRpcError(
  code: number,
  message: string,
  requestId?: string,
  more: Readonly<Record<string, unknown>> = {},
) {
  const data = { ...(requestId === undefined ? {} : { request_id: requestId }), ...more };
  return {
    jsonrpc: "2.0",
    error: { code, message, ...(Object.keys(data).length === 0 ? {} : { data }) },
    id: null,
  };
}

/** A refusal on purpose: its text is for the caller, whatever the status, and no line of its own goes to the log. */
export class Refusal extends Error {
  readonly statusCode: number;
  /** Seconds, for `Retry-After`. */
  readonly retryAfter: number | undefined;
  constructor(statusCode: number, message: string, retryAfter?: number) {
    super(message);
    this.name = "Refusal";
    this.statusCode = statusCode;
    this.retryAfter = retryAfter;
  }
}

/** Thrown by the JSON parser of /mcp; JSON-RPC has a code of its own for it (-32700). */
export class ParseError extends Error {
  readonly statusCode = 400;
  constructor() {
    super("Parse error: the body is not JSON");
    this.name = "ParseError";
  }
}

/** The methods that MCP's Streamable HTTP transport defines. */
export const MCP_METHODS = "GET, POST, DELETE";

const METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"] as const;

export function isMcpPath(url: string): boolean {
  return /^\/mcp\/?$/.test(url.split("?", 1)[0] ?? "");
}

const DOORS = {
  all: "the MCP endpoint is /mcp",
  mcp: "the MCP endpoint is /mcp",
  api: "the HTTP API is at /api; this server has no MCP endpoint (SERVE=api)",
} as const;

/** Errors of every route: JSON-RPC on /mcp, plain JSON elsewhere; the text of an unforeseen one stays in the log. */
export function registerErrors(app: FastifyInstance, serve: "all" | "mcp" | "api" = "all"): void {
  app.setErrorHandler((error: FastifyError, request: FastifyRequest, reply: FastifyReply) => {
    const status = error.statusCode !== undefined && error.statusCode >= 400 ? error.statusCode : 500;
    const refused = (error as Error) instanceof Refusal ? (error as unknown as Refusal) : undefined;
    const unforeseen = status >= 500 && !refused;
    if (unforeseen) request.log.error({ err: error }, "request failed");
    const message = unforeseen ? "Internal server error" : error.message;
    const code = error instanceof ParseError ? -32_700 : unforeseen ? -32_603 : -32_000;
    const more = refused?.retryAfter === undefined ? {} : { retry_after: refused.retryAfter };
    if (refused?.retryAfter !== undefined) reply.header("retry-after", refused.retryAfter);
    reply.code(status);
    return reply.send(
      isMcpPath(request.url)
        ? jsonRpcError(code, message, request.id, more)
        : { error: message, request_id: request.id, ...more },
    );
  });

  app.setNotFoundHandler((request, reply) => {
    if (isMcpPath(request.url) && serve !== "api")
      return reply
        .code(405)
        .header("allow", MCP_METHODS)
        .send(jsonRpcError(-32_000, `Method not allowed; /mcp takes ${MCP_METHODS}`, request.id));
    const path = request.url.split("?", 1)[0] ?? "";
    const allowed = METHODS.filter((method) => app.hasRoute({ method, url: path }));
    if (allowed.length > 0)
      return reply
        .code(405)
        .header("allow", allowed.join(", "))
        .send({
          error: `Method not allowed; ${path} takes ${allowed.join(", ")}`,
          request_id: request.id,
        });
    return reply.code(404).send({ error: `Not found; ${DOORS[serve]}`, request_id: request.id });
  });
}
