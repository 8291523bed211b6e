import type { FastifyReply, FastifyRequest } from "fastify";
import { Refusal } from "../http/errors.ts";
import { SSE_HEADERS } from "../http/event-stream.ts";
import { goneSignal } from "../http/gone.ts";
import type { Streams } from "../http/streams.ts";
import { acceptForSdk, inReadableType, type Readable, readableTypes } from "./accept.ts";
import type { EraDispatch } from "./era-dispatch.ts";
import { lenientMessages } from "./lenient-messages.ts";
import { isListen } from "./listen-streams.ts";
import { refuseLargeBatch } from "./messages.ts";

/**
 * Handles the requests to the MCP endpoint. The body is parsed once, and its value is passed on. The answer is a web `Response` that is
 * given to `reply.send`: unlike a hijacked reply, that keeps Fastify's hooks, and reports at once when a client leaves.
 */
export function httpHandler(dispatch: EraDispatch, streams: Streams) {
  return async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
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
    const signal = goneSignal(reply);
    const web = webRequest(request, signal);
    const {
      response: original,
      session,
      paced,
      onEnd,
      onDrain,
    } = await dispatch.handle({ web, body, principal });
    const response = await inReadableType(original, readable, signal, Array.isArray(body)).catch((error) => {
      onEnd?.("client_closed");
      throw signal.aborted ? new Refusal(499, "The client closed the request") : error;
    });
    const headers = new Headers(response.headers);
    // Hop-by-hop: set by Node, and by us during a drain.
    headers.delete("connection");
    if (!response.body || !response.headers.get("content-type")?.startsWith("text/event-stream")) {
      onEnd?.("completed");
      return reply.send(new Response(response.body, { status: response.status, headers }));
    }
    for (const [name, value] of Object.entries(SSE_HEADERS)) headers.set(name, value);
    const stream = streams.track(response.body, {
      route: "/mcp",
      session,
      principal,
      longLived: request.method === "GET" || isListen(body),
      ...(paced === undefined ? {} : { paced }),
      log: request.log,
      abort: () => reply.raw.destroy(),
      onDrain,
      ...(onEnd ? { onEnd } : {}),
    });
    return reply.send(new Response(stream, { status: response.status, headers }));
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

/** The request in the form that the SDK needs, without the credentials: a tool cannot leak what it cannot see. */
function webRequest(request: FastifyRequest, signal: AbortSignal): Request {
  const headers = new Headers();
  for (const [name, value] of Object.entries(request.headers))
    if (value !== undefined && name !== "authorization" && name !== "cookie")
      headers.set(name, name.startsWith("mcp-") ? withoutDuplicates(String(value)) : String(value));
  headers.set("accept", acceptForSdk(request.method));
  return new Request(`http://${request.headers.host ?? "localhost"}/mcp`, {
    method: request.method,
    headers,
    signal,
  });
}

/** A header that is sent twice with the same value, by a client and by its user's configuration, counts as sent once. */
function withoutDuplicates(value: string): string {
  const [first = "", ...others] = value.split(", ");
  return others.every((other) => other === first) ? first : value;
}
