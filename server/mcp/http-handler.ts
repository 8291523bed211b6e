import type { FastifyReply, FastifyRequest } from "fastify";
import { Refusal } from "../http/errors.ts";
import type { Streams } from "../http/streams.ts";
import type { MaybePromise } from "../maybe-promise.ts";
import { type Readable, readableTypes } from "./accept.ts";
import type { EraDispatch } from "./era-dispatch.ts";
import { HttpExchange } from "./http-exchange.ts";
import { lenientMessages } from "./lenient-messages.ts";
import { isListen } from "./listen-streams.ts";
import type { MessageObserver } from "./message-observer.ts";
import { refuseLargeBatch } from "./messages.ts";

/**
 * Handles the requests to the MCP endpoint. The body is parsed once, and its value is passed on. The answer goes to Node's response, with the
 * headers that Fastify's hooks have set (see HttpExchange). Until something is sent, errors go to Fastify's error handler.
 */
export function httpHandler(dispatch: EraDispatch, streams: Streams, observer?: MessageObserver) {
  const serve = (request: FastifyRequest, reply: FastifyReply): MaybePromise<void> => {
    const { principal } = request;
    if (!principal) throw new Error("a request without a principal passed the guard");
    const body = lenientMessages(request.body);
    if (request.method === "POST" && body === undefined)
      throw new Refusal(
        400,
        "Invalid request: the body is empty; POST one JSON-RPC message",
        undefined,
        -32_600,
      );
    refuseLargeBatch(body);
    const readable = readableTypes(request.headers.accept);
    refuseUnreadable(request, body, readable);
    const exchange = { http: new HttpExchange(request, reply, readable, streams), body, principal };
    return observer
      ? observer.observe(exchange, async () => dispatch.handle(exchange))
      : dispatch.handle(exchange);
  };
  // Not async, so that Fastify does not wait for a result: what it would add to each request takes longer than many tools.
  return (request: FastifyRequest, reply: FastifyReply): void => {
    const fail = (error: Error) => {
      if (!reply.sent) return reply.send(error);
      request.log.error({ err: error }, "request failed");
      reply.raw.destroy();
    };
    try {
      const served = serve(request, reply);
      if (served instanceof Promise) served.catch(fail);
    } catch (error) {
      fail(error as Error);
    }
  };
}

/** @throws Refusal 406 if the client reads none of the types in which the answer can be sent */
function refuseUnreadable(request: FastifyRequest, body: unknown, readable: Readable): void {
  const { method, headers } = request;
  const streamOnly = method === "GET" || isListen(body);
  // A GET without a session has no answer to read: it gets 405, the status after which clients continue without a stream.
  const hasAnswer = method === "POST" || headers["mcp-session-id"] !== undefined;
  if (!hasAnswer || method === "DELETE" || readable.stream || (!streamOnly && readable.json)) return;
  const types = streamOnly ? "text/event-stream" : "application/json or text/event-stream";
  throw new Refusal(
    406,
    `Not acceptable: the answer is ${types}; send Accept: application/json, text/event-stream`,
  );
}
