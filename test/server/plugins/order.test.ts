import { readdir } from "node:fs/promises";
import { expect, test } from "@jest/globals";
import Fastify from "fastify";
import { Origins } from "../../../server/http/origins.ts";
import { cors } from "../../../server/plugins/cors.ts";
import { EVERY_REQUEST } from "../../../server/plugins/every-request.ts";
import { rateLimits } from "../../../server/plugins/rate-limits.ts";
import { startApp, temporaryFolder } from "../support.ts";

test("a plugin that is registered before what it depends on is refused", async () => {
  const app = Fastify();
  const limits = { limits: { perAddress: 1, perToken: 1 }, refused: () => undefined };
  const buckets = { take: async () => ({ allowed: true, left: 1, waitMs: 0 }) };
  await expect(app.register(rateLimits, { ...limits, buckets })).rejects.toThrow(
    "The dependency 'error-handler' of plugin 'rate-limits' is not registered",
  );
  await expect(Fastify().register(cors, { origins: new Origins([]) })).rejects.toThrow("'request-context'");
});

test("every plugin of the folder is registered", async () => {
  const folder = await temporaryFolder();
  try {
    await using running = await startApp({ WORKSPACE_DIR: folder.path });
    await running.app.http.ready();
    const files = await readdir("server/plugins");
    const names = files.map((file) => file.replace(/\.ts$/, ""));
    for (const name of names.filter((name) => !["index", "every-request"].includes(name)))
      expect([name, running.app.http.hasPlugin(name)]).toEqual([name, true]);
    for (const name of EVERY_REQUEST) expect(names).toContain(name);
  } finally {
    await folder.remove();
  }
});
