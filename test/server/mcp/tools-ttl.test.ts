import { join } from "node:path";
import { expect, test } from "@jest/globals";
import * as z from "zod";
import { defineTool } from "../../../server/tools/tool.ts";
import { makeRepository, rpc, startApp, temporaryFolder } from "../support.ts";

const lamp = defineTool({
  name: "lamp",
  title: "Lamp",
  description: "There while there is power",
  scope: "code:read",
  needs: ["power"],
  input: z.object({}),
  output: z.object({ lit: z.boolean() }),
  run: async () => ({ lit: true }),
});

test("a list of tools that may soon grow has a short time to live", async () => {
  const folder = await temporaryFolder();
  await makeRepository(join(folder.path, "sample"));
  await using app = await startApp({ WORKSPACE_DIR: folder.path }, { tools: [lamp] });
  const list = async () => {
    const _meta = {
      "io.modelcontextprotocol/protocolVersion": "2026-07-28",
      "io.modelcontextprotocol/clientInfo": { name: "t", version: "1" },
      "io.modelcontextprotocol/clientCapabilities": {},
    };
    const body = { jsonrpc: "2.0", id: 1, method: "tools/list", params: { _meta } };
    const headers = { "mcp-protocol-version": "2026-07-28", "mcp-method": "tools/list" };
    const { result } = (await (await rpc(app.origin, body, headers)).json()) as {
      result: { tools: unknown[]; ttlMs: number };
    };
    return [result.tools.length, result.ttlMs];
  };
  expect(await list()).toEqual([0, 10_000]);
  app.app.capabilities.set("power", true, "plugged in");
  expect(await list()).toEqual([1, 300_000]);
  await folder.remove();
});
