import type { FastifyError, FastifyReply, FastifyRequest } from "fastify";
import fp from "fastify-plugin";
import { BODY_TOO_LARGE } from "../http/body-limit.ts";
import { isMcpPath, jsonRpcError, jsonRpcId, ParseError, refusalOf } from "../http/errors.ts";

/** Errors of every route: JSON-RPC on /mcp, plain JSON elsewhere. The text of an unexpected one stays in the log. */
export const errorHandler = fp(
  async (app) => {
    app.setErrorHandler((error: FastifyError, request: FastifyRequest, reply: FastifyReply) => {
      const refused = refusalOf(error);
      const given = refused?.statusCode ?? error.statusCode;
      const status = given !== undefined && given >= 400 ? given : 500;
      const unexpected = status >= 500 && !refused;
      if (unexpected) request.log.error({ err: error }, "request failed");
      const tooLarge = error.code === "FST_ERR_CTP_BODY_TOO_LARGE";
      const message = tooLarge ? BODY_TOO_LARGE : unexpected ? "Internal server error" : error.message;
      const code = error instanceof ParseError ? -32_700 : unexpected ? -32_603 : (refused?.code ?? -32_000);
      const more = refused?.retryAfter === undefined ? {} : { retry_after: refused.retryAfter };
      if (refused?.retryAfter !== undefined) reply.header("retry-after", refused.retryAfter);
      reply.code(status);
      return reply.send(
        isMcpPath(request.url)
          ? { ...jsonRpcError(code, message, request.id, more), id: jsonRpcId(request.body) }
          : { error: message, request_id: request.id, ...more },
      );
    });
  },
  { name: "error-handler" },
);
