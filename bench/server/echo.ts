import type { AddressInfo } from "node:net";
import * as z from "zod";
import { createApp } from "../../server/app.ts";
import { readConfig } from "../../server/config/config.ts";
import { SSE_HEADERS } from "../../server/http/event-stream.ts";
import { defineTool } from "../../server/tools/tool.ts";

/** Our whole server with one tool that does nothing: what is measured is the way to a tool and back. Prints its port. */
const echo = defineTool({
  name: "echo",
  title: "Echo",
  description: "Gives the text back.",
  scope: "code:read",
  input: z.object({ text: z.string() }),
  output: z.object({ text: z.string() }),
  run: async ({ text }) => ({ text }),
});

const app = await createApp({ config: readConfig(process.env), tools: [echo] });
// A stream with nothing to say but its keep-alive, as a client's notification stream mostly is: /demo/stream has a cap, and speaks.
const KEEP_ALIVE = new TextEncoder().encode(": keep-alive\n\n");
app.http.get("/quiet", (request, reply) => {
  let timer: NodeJS.Timeout;
  const source = new ReadableStream<Uint8Array>({
    start(controller) {
      timer = setInterval(() => controller.enqueue(KEEP_ALIVE), 15_000);
    },
    cancel: () => clearInterval(timer),
  });
  const body = app.streams.track(source, { route: "/quiet", longLived: true, log: request.log });
  return reply.send(new Response(body, { headers: SSE_HEADERS }));
});
await app.http.listen({ host: "127.0.0.1", port: 0 });
process.send?.({ port: (app.http.server.address() as AddressInfo).port });
