/**
 * A server process as one unit of a release runs it, with tools that take long and that ask, for the tests of two instances. Its settings
 * come from the environment; its port is the first line that it prints.
 */
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import * as z from "zod";
import { createApp } from "../../../server/app.ts";
import { readConfig } from "../../../server/config/config.ts";
import { drain } from "../../../server/drain.ts";
import { defineTool } from "../../../server/tools/tool.ts";
import { conformanceProfile } from "../conformance/profile.ts";

/** Reports each step, as fast as progress may be reported. */
const count = defineTool({
  name: "count",
  title: "Count",
  description: "Counts slowly",
  scope: "code:read",
  input: z.object({ to: z.int() }),
  output: z.object({ counted: z.int() }),
  run: async ({ to }, { progress, signal }) => {
    for (let step = 1; step <= to; step++) {
      await sleep(110, undefined, { signal });
      progress?.(step, to, `step ${step}`);
    }
    return { counted: to };
  },
});

const config = readConfig(process.env);
const app = await createApp({
  config,
  tools: [count],
  profile: conformanceProfile,
  logStream: { write: (line) => process.stderr.write(line) },
});
await app.http.listen({ host: "127.0.0.1", port: 0 });
process.stdout.write(`${(app.http.server.address() as AddressInfo).port}\n`);
process.on("SIGTERM", async () => {
  await drain(app, config.drainSeconds * 1_000);
  process.exit(0);
});
