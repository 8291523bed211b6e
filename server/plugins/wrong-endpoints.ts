import type { FastifyReply, FastifyRequest } from "fastify";
import fp from "fastify-plugin";
import { isMcpPath, jsonRpcError, jsonRpcId, MCP_METHODS } from "../http/errors.ts";
import { noSignIn } from "../http/no-sign-in.ts";

/** Which endpoints the server has: /mcp, /api or both. */
export type Serve = "all" | "mcp" | "api";

const METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"] as const;

const ENDPOINTS: Record<Serve, string> = {
  all: "the MCP endpoint is /mcp",
  mcp: "the MCP endpoint is /mcp",
  api: "the HTTP API is at /api; this server has no MCP endpoint (SERVE=api)",
};

/** Paths of the HTTP+SSE transport of 2024-11-05 by convention. Clients fall back to them when Streamable HTTP is refused. */
const OLD_TRANSPORT = /^(\/mcp)?\/(sse|messages?)\/?$/;

/**
 * Where MCP clients look for an authorization server: the metadata documents of RFC 8414, RFC 9728 and OpenID Connect Discovery, and the
 * default endpoints of MCP 2025-03-26.
 */
const OAUTH =
  /^(\/mcp)?\/\.well-known\/(oauth-|openid-)|^(\/mcp)?\/(oauth2?\/)?(register|authorize|token|revoke|introspect)\/?$/;

/**
 * The answer to a client that asked at the wrong place: at once, in the form that its kind of client shows to people, and naming the right
 * place. JSON-RPC for an MCP message, an OAuth error (RFC 6749, section 5.2) for a sign-in, plain JSON for the rest.
 */
export const wrongEndpoints = fp<{
  serve: Serve;
  /** Whether calls need a bearer token; the OAuth answer explains it. */
  needsToken: boolean;
  /** Whether there is a sign-in, at other paths. */
  signIn: boolean;
}>(
  async (app, { serve, needsToken, signIn }) => {
    app.setNotFoundHandler((request, reply) => {
      const path = request.url.split("?", 1)[0] ?? "";
      if (isMcpPath(path) && serve !== "api")
        return reply
          .code(405)
          .header("allow", MCP_METHODS)
          .send(jsonRpcError(-32_000, `Method not allowed; /mcp takes ${MCP_METHODS}`, request.id));
      const allowed = METHODS.filter((method) => app.hasRoute({ method, url: path }));
      if (allowed.length > 0) {
        reply.code(405).header("allow", allowed.join(", "));
        return refuse(
          request,
          reply,
          `Method not allowed; ${path} takes ${allowed.join(", ")}; ${ENDPOINTS[serve]}`,
        );
      }
      reply.code(404);
      if (OAUTH.test(path)) return reply.send(signIn ? SIGN_IN_ELSEWHERE : noSignIn(needsToken));
      return refuse(
        request,
        reply,
        OLD_TRANSPORT.test(path)
          ? `Not found; the HTTP+SSE transport of 2024-11-05 is not served, use Streamable HTTP: ${ENDPOINTS[serve]}`
          : `Not found; ${ENDPOINTS[serve]}`,
      );
    });
  },
  { name: "wrong-endpoints", dependencies: ["error-handler"] },
);

/**
 * An onRequest hook for a page's route: a client that asks a page for an event stream is an MCP client at the wrong URL, which would wait
 * for events or complain about HTML.
 */
export function refuseEventStreamClients(serve: Serve) {
  return async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    const accept = request.headers.accept ?? "";
    if (!accept.includes("text/event-stream") || accept.includes("text/html")) return;
    await refuse(request, reply.code(406), `This is a page; ${ENDPOINTS[serve]}`);
  };
}

function refuse(request: FastifyRequest, reply: FastifyReply, message: string) {
  const { body } = request;
  const call = Array.isArray(body) ? body[0] : body;
  return reply.send(
    isJsonRpc(call)
      ? { ...jsonRpcError(-32_000, message, request.id), id: jsonRpcId(call) }
      : { error: message, request_id: request.id },
  );
}

function isJsonRpc(body: unknown): body is { jsonrpc: "2.0" } {
  return typeof body === "object" && body !== null && "jsonrpc" in body && body.jsonrpc === "2.0";
}

const SIGN_IN_ELSEWHERE = {
  error: "invalid_request",
  error_description:
    "Not found; the metadata of this server's sign-in is at /.well-known/oauth-protected-resource/mcp",
};
