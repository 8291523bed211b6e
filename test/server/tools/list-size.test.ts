import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { TOOLS } from "../../../server/tools/index.ts";
import { makeRepository, type RunningApp, rpc, startApp, temporaryFolder } from "../support.ts";

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let running: RunningApp;
beforeAll(async () => {
  folder = await temporaryFolder();
  await makeRepository(`${folder.path}/workspace/sample`);
  running = await startApp({ WORKSPACE_DIR: `${folder.path}/workspace` });
  for (const name of ["index", "embeddings"] as const)
    running.app.capabilities.set(name, true, "for the test");
});
afterAll(async () => {
  await running.app.close();
  await folder.remove();
});

/** Each session pays for the list. gpt-tokenizer (o200k) counts a token for 4.1 of its characters, so this is 500 tokens a tool. */
const MAX_CHARS_PER_TOOL = 2_050;

test("the list of all tools stays within its token budget", async () => {
  const list = { jsonrpc: "2.0", id: 1, method: "tools/list", params: {} };
  const text = await (await rpc(running.origin, list, { accept: "application/json" })).text();
  const { tools } = JSON.parse(text).result as { tools: { name: string; outputSchema: object }[] };
  expect(tools.length).toBeGreaterThanOrEqual(TOOLS.length - 2);
  expect(JSON.stringify(tools).length / tools.length).toBeLessThan(MAX_CHARS_PER_TOOL);
  // Descriptions of results are for people: see /api.
  expect(JSON.stringify(tools.map((tool) => tool.outputSchema))).not.toContain('"description":"');
});
