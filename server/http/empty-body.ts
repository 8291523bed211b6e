import type { FastifyInstance } from "fastify";

/**
 * A request without a body is never a parse error, whatever its method and Content-Type: the Content-Type describes content, and there
 * is none (RFC 9110, section 8.3). Python's MCP clients send `DELETE` with `Content-Type: application/json` to end a session.
 *
 * Covers both ways to send no body: no content at all, and a chunked body of zero bytes.
 */
export function acceptEmptyBodies(app: FastifyInstance): void {
  app.addHook("onRequest", (request, _reply, done) => {
    const { headers } = request.raw;
    const length = headers["content-length"];
    if (headers["transfer-encoding"] === undefined && (length === undefined || Number(length) === 0))
      delete headers["content-type"];
    done();
  });
  const parse = app.getDefaultJsonParser("error", "error");
  app.removeContentTypeParser("application/json");
  app.addContentTypeParser<string>("application/json", { parseAs: "string" }, (request, text, done) => {
    if (text === "") done(null, undefined);
    else parse(request, text, done);
  });
}
