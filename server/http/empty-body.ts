import type { FastifyInstance } from "fastify";
import { Refusal } from "./errors.ts";

/**
 * Accepts requests without a body, whatever their method and Content-Type. The Content-Type describes content, and there is none
 * (RFC 9110, section 8.3). Python's MCP clients send `DELETE` with `Content-Type: application/json` to end a session.
 *
 * Covers both forms: no content at all, and a chunked body of zero bytes.
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
  app.removeAllContentTypeParsers();
  app.addContentTypeParser<string>("application/json", { parseAs: "string" }, (request, text, done) => {
    if (text === "") done(null, undefined);
    else parse(request, text, done);
  });
  app.addContentTypeParser<string>("text/plain", { parseAs: "string" }, (_request, text, done) =>
    done(null, text === "" ? undefined : text),
  );
  acceptOnlyEmptyBodies(app);
}

/** Handles bodies of all types without a parser: accepts an empty body and refuses any other (415) after its first chunk. */
export function acceptOnlyEmptyBodies(app: FastifyInstance): void {
  app.addContentTypeParser("*", (_request, payload, done) => {
    payload.once("error", done);
    payload.once("end", () => done(null, undefined));
    payload.once("data", () => {
      payload.removeAllListeners("end");
      payload.resume();
      done(new Refusal(415, "Unsupported Media Type; send the body as Content-Type: application/json"));
    });
  });
}
