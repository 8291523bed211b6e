import { IncomingMessage } from "node:http";
import type { FastifyReply, FastifyRequest } from "fastify";
import type { AuthorizationServer } from "./authorization-server.ts";

export interface Forwarded {
  /** Path and query; default: as they came. */
  readonly url?: string;
  /** The whole body, with its media type; default: none. */
  readonly body?: { readonly type: string; readonly text: string };
}

/**
 * Lets oidc-provider answer a request, as it shall see it. It reads its requests itself, so it gets one of its own whose body is what Fastify
 * has read and we have changed. The headers that hooks set so far stay.
 */
export async function forward(
  server: AuthorizationServer,
  request: FastifyRequest,
  reply: FastifyReply,
  { url, body }: Forwarded = {},
): Promise<void> {
  // Before the answer is taken from Fastify: it throws while the server has no keys.
  const answer = server.provider.callback();
  const { raw } = request;
  const served = new IncomingMessage(raw.socket);
  served.method = raw.method ?? "GET";
  served.url = url ?? raw.url ?? "/";
  served.httpVersion = raw.httpVersion;
  served.headers = { ...raw.headers };
  delete served.headers["transfer-encoding"];
  delete served.headers["content-length"];
  if (body) {
    served.headers["content-type"] = body.type;
    served.headers["content-length"] = String(Buffer.byteLength(body.text));
    served.push(body.text);
  } else delete served.headers["content-type"];
  served.push(null);
  // Or its end would be taken for that of the connection.
  served.complete = true;
  server.noteOrigin(request, served);
  for (const [name, value] of Object.entries(reply.getHeaders()))
    if (value !== undefined) reply.raw.setHeader(name, value);
  reply.hijack();
  await answer(served, reply.raw);
}
