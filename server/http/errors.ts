import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from "fastify";

/** A JSON-RPC 2.0 error body for a request whose id could not be read; `request_id` finds it in the log. */
export function jsonRpcError(code: number, message: string, requestId?: string) {
  return {
    jsonrpc: "2.0",
    error: { code, message, ...(requestId === undefined ? {} : { data: { request_id: requestId } }) },
    id: null,
  };
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

export function isMcpPath(url: string): boolean {
  return /^\/mcp\/?$/.test(url.split("?", 1)[0] ?? "");
}

/** Errors of every route: JSON-RPC on /mcp, plain JSON elsewhere; the text of an unforeseen one stays in the log. */
export function registerErrors(app: FastifyInstance): void {
  app.setErrorHandler((error: FastifyError, request: FastifyRequest, reply: FastifyReply) => {
    const status = error.statusCode !== undefined && error.statusCode >= 400 ? error.statusCode : 500;
    if (status >= 500) request.log.error({ err: error }, "request failed");
    const message = status >= 500 ? "Internal server error" : error.message;
    const code = error instanceof ParseError ? -32_700 : status >= 500 ? -32_603 : -32_000;
    reply.code(status);
    return reply.send(
      isMcpPath(request.url)
        ? jsonRpcError(code, message, request.id)
        : { error: message, request_id: request.id },
    );
  });

  app.setNotFoundHandler((request, reply) => {
    if (isMcpPath(request.url))
      return reply
        .code(405)
        .header("allow", MCP_METHODS)
        .send(jsonRpcError(-32_000, `Method not allowed; /mcp takes ${MCP_METHODS}`, request.id));
    return reply.code(404).send({ error: "Not found; the MCP endpoint is /mcp", request_id: request.id });
  });
}
