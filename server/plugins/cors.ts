import fastifyCors, { type FastifyCorsOptions } from "@fastify/cors";
import type { FastifyPluginCallback, onRequestHookHandler } from "fastify";
import fp from "fastify-plugin";
import type { Origins } from "../http/origins.ts";

/** What a page's script may read of an answer, beside the safelisted headers. */
const EXPOSED = [
  "Mcp-Session-Id",
  "Mcp-Protocol-Version",
  "WWW-Authenticate",
  "Retry-After",
  "X-Request-Id",
  "Traceresponse",
];

/**
 * Lets pages of the allowed origins call (https://fetch.spec.whatwg.org/#http-cors-protocol); the rule is the one by which /mcp refuses
 * the others (403). No credentials: a page sends its token in `Authorization`, and no cookie means anything here.
 * The headers that a preflight asks for are allowed as asked, since MCP 2026-07-28 makes up names (`Mcp-Param-*`).
 */
export const cors = fp<{ origins: Origins }>(
  async (app, { origins }) => {
    await app.register(forPages(fastifyCors), {
      origin: (origin, decide) => decide(null, origin && origins.allows(origin) ? origin : false),
      methods: ["GET", "POST", "DELETE"],
      exposedHeaders: EXPOSED,
      strictPreflight: false,
      // Browsers keep a preflight's answer at most two hours (Chromium).
      maxAge: 7_200,
    });
  },
  { name: "cors", dependencies: ["request-context"] },
);

/**
 * The same plugin, whose hook is called only for requests with an origin and for OPTIONS. Other requests come from programs, to which none of
 * its headers says anything, and the hook takes longer than the check of a token. A cache must know that a page gets other headers.
 */
function forPages(
  plugin: FastifyPluginCallback<FastifyCorsOptions>,
): FastifyPluginCallback<FastifyCorsOptions> {
  return fp((app, options, done) => {
    const addHook = (name: "onRequest", hook: onRequestHookHandler) =>
      app.addHook(name, function (request, reply, next) {
        if (request.headers.origin !== undefined || request.method === "OPTIONS")
          return hook.call(this, request, reply, next);
        reply.header("vary", "Origin");
        next();
      });
    plugin(Object.create(app, { addHook: { value: addHook } }), options, done);
  });
}
