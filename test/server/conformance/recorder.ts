import { createServer, request as forward, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";

/** A POST as a client sent it. */
export interface Recorded {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  /** The session that the answer opened. */
  opened?: string | undefined;
}

/** A proxy before a server that keeps what clients post. */
export async function recorder(origin: string) {
  const posts: Recorded[] = [];
  const proxy = createServer(async (request, response) => {
    const { method, url, headers } = request;
    const recorded: Recorded = { headers, body: await text(request) };
    if (method === "POST") posts.push(recorded);
    const upstream = forward(`${origin}${url}`, { method, headers }, (answer) => {
      const session = answer.headers["mcp-session-id"];
      if (session !== headers["mcp-session-id"]) recorded.opened = session as string | undefined;
      response.writeHead(answer.statusCode ?? 0, answer.headers);
      answer.pipe(response);
      answer.on("error", () => response.destroy());
    });
    upstream.on("error", () => response.destroy()).end(recorded.body);
    response.on("close", () => upstream.destroy());
  });
  await new Promise<void>((ready) => proxy.listen(0, "127.0.0.1", ready));
  return {
    origin: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`,
    posts,
    close: () => {
      proxy.closeAllConnections();
      return new Promise((closed) => proxy.close(closed));
    },
  };
}
