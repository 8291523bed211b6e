import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { Client, InMemoryTransport } from "@modelcontextprotocol/client";
import { McpServer } from "@modelcontextprotocol/server";
import * as z from "zod";
import { auditFiles } from "../../../server/audit/audit-file.ts";
import { wireSchemas } from "../../../server/tools/arguments/wire-schema.ts";
import { defineTool } from "../../../server/tools/tool.ts";
import { eventuallyAsync, JSON_HEADERS, openSession, rpc, startApp, temporaryFolder } from "../support.ts";

/** Its result has two faults: one in a list, and one at the top. */
const wrong = {
  rows: [{ line: 1 }, { line: "two" as unknown as number }],
  total: undefined as unknown as number,
};
const broken = defineTool({
  name: "broken",
  title: "Broken",
  description: "Answers what its output schema does not allow",
  scope: "code:read",
  input: z.object({}),
  output: z.object({ rows: z.array(z.object({ line: z.int() })), total: z.int() }),
  run: async () => wrong,
});
/** What the SDK answers for such a tool. */
let expected: unknown;
let folder: Awaited<ReturnType<typeof temporaryFolder>>;

beforeAll(async () => {
  folder = await temporaryFolder();
  const server = new McpServer({ name: "s", version: "1" });
  const { input, output } = wireSchemas(broken);
  server.registerTool("broken", { inputSchema: input, outputSchema: output }, async () => ({
    content: [],
    structuredContent: wrong,
  }));
  const client = new Client({ name: "c", version: "1" });
  const [one, other] = InMemoryTransport.createLinkedPair();
  await Promise.all([server.connect(other), client.connect(one)]);
  const { content, isError } = await client.callTool({ name: "broken", arguments: {} });
  expected = { content, isError };
  await client.close();
});
afterAll(() => folder.remove());

const CALL = {
  jsonrpc: "2.0",
  id: 2,
  method: "tools/call",
  params: { name: "broken", arguments: {} },
};

test.each(["yes", "no"])(
  "a result that does not fit is an error everywhere; DIRECT_CALLS=%s",
  async (direct) => {
    const env = { WORKSPACE_DIR: folder.path, AUDIT_DIR: join(folder.path, direct), DIRECT_CALLS: direct };
    {
      await using running = await startApp(env, { tools: [broken] });
      const { origin, logs } = running;
      const session = await openSession(origin);
      const answer = await rpc(origin, CALL, { "mcp-session-id": session, accept: "application/json" });
      expect(await answer.json()).toMatchObject({ result: expected });
      expect(logs.filter(({ msg }) => msg === "tool failed")).toMatchObject([
        { level: "error", tool: "broken", err: { type: "InvalidOutput" } },
      ]);
      const api = await fetch(`${origin}/api/tools/broken`, {
        method: "POST",
        headers: JSON_HEADERS,
        body: "{}",
      });
      expect(api.status).toBe(500);
      expect(await api.text()).not.toContain("two");
      const metrics = await (await fetch(`${origin}/metrics`)).text();
      expect(metrics).toContain('mcp_edge_tool_calls_total{tool="broken",outcome="failed"} 2\n');
      expect(metrics).not.toContain('tool="broken",outcome="ok"');
    }
    // A server that is closed waits half a second for the disk, and a slow one may take longer.
    const outcomes = await eventuallyAsync(async () => {
      const [file = ""] = await auditFiles(env.AUDIT_DIR);
      const lines = (await readFile(join(env.AUDIT_DIR, file), "utf8")).trimEnd().split("\n");
      return lines.length >= 3 && lines.map((line) => JSON.parse(line).outcome);
    }, "the records");
    expect(outcomes).toEqual([undefined, "error", "error"]);
  },
);
