import type { FastifyBaseLogger, FastifyReply, FastifyRequest } from "fastify";
import type { Streams } from "../../../server/http/streams.ts";
import { HttpExchange } from "../../../server/mcp/http-exchange.ts";
import type { Session } from "../../../server/mcp/session.ts";
import { FakeResponse } from "../http/fake-response.ts";
import { INITIALIZE } from "../support.ts";

/** A request to the endpoint without a connection, and the response that it gets. */
export function fakeExchange(
  streams: Streams,
  log: FastifyBaseLogger,
  method: "GET" | "POST",
  headers: Readonly<Record<string, string>> = {},
): { http: HttpExchange; response: FakeResponse } {
  const response = new FakeResponse();
  const request = { method, headers, log } as unknown as FastifyRequest;
  const reply = { request, raw: response, sent: false, getHeaders: () => ({}), hijack: () => reply };
  const readable = { json: true, stream: true };
  const http = new HttpExchange(request, reply as unknown as FastifyReply, readable, streams);
  return { http, response };
}

/** The client's `initialize`, in a session that was just made. */
export async function initialize(session: Session, streams: Streams, log: FastifyBaseLogger): Promise<void> {
  await session.server.hold();
  const { http } = fakeExchange(streams, log, "POST");
  const post = await session.transport.accept(http, INITIALIZE);
  if ("status" in post) throw new Error(post.message);
  session.transport.handle(http, session.principal, post);
}
