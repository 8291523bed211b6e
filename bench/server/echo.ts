import type { AddressInfo } from "node:net";
import * as z from "zod";
import { createApp } from "../../server/app.ts";
import { readConfig } from "../../server/config/config.ts";
import { TOOLS } from "../../server/tools/index.ts";
import { defineTool } from "../../server/tools/tool.ts";
import { accessToken } from "./access-token.ts";
import { HUGE, LARGE } from "./large.ts";
import { reportMemory } from "./memory.ts";

/** Our whole server with three more tools that do nothing: what is measured is the way to a tool and back. Reports its port and an access token. */
const echo = defineTool({
  name: "echo",
  title: "Echo",
  description: "Gives the text back.",
  scope: "code:read",
  input: z.object({ text: z.string() }),
  output: z.object({ text: z.string() }),
  run: async ({ text }) => ({ text }),
});
const constant = (name: string, text: string) =>
  defineTool({
    name,
    title: name,
    description: "Answers a long text.",
    scope: "code:read",
    input: z.object({}),
    output: z.object({ text: z.string() }),
    run: async () => ({ text }),
  });

const app = await createApp({
  config: readConfig(process.env),
  tools: [...TOOLS, echo, constant("large", LARGE), constant("huge", HUGE)],
  live: { max: 20_000 },
});
// A stream with nothing to say but its keep-alive, as a client's notification stream mostly is: /demo/stream has a cap, and speaks.
app.http.get("/quiet", (_request, reply) => {
  app.streams.open(reply, { route: "/quiet", longLived: true, keepAliveMs: 15_000 });
});
await app.http.listen({ host: "127.0.0.1", port: Number(process.env.BENCH_PORT ?? 0) });
const { server } = app.auth;
const token = server && (await accessToken(server));
process.send?.({ port: (app.http.server.address() as AddressInfo).port, token });

reportMemory();
