import type { AddressInfo } from "node:net";
import * as z from "zod";
import { createApp } from "../../server/app.ts";
import { readConfig } from "../../server/config.ts";
import { defineTool } from "../../server/tools/tool.ts";

/** Our whole server with one tool that does nothing: what is measured is the way to a tool and back. Prints its port. */
const echo = defineTool({
  name: "echo",
  title: "Echo",
  description: "Gives the text back.",
  capability: "code:read",
  input: z.object({ text: z.string() }),
  output: z.object({ text: z.string() }),
  run: async ({ text }) => ({ text }),
});

const app = await createApp({ config: readConfig(process.env), tools: [echo] });
await app.http.listen({ host: "127.0.0.1", port: 0 });
process.send?.({ port: (app.http.server.address() as AddressInfo).port });
