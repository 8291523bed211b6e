import { describe, expect, jest, test } from "@jest/globals";
import { type McpClient, useTools } from "../../../../../cli/doctor/checks/mcp/use-tools.ts";

type Tool = Awaited<ReturnType<McpClient["listTools"]>>["tools"][number];

const tool = (name: string, properties: Record<string, unknown> = {}, rest: Partial<Tool> = {}): Tool => ({
  name,
  inputSchema: { properties },
  ...rest,
});

function client(tools: Tool[], result: unknown = { content: [{ type: "text", text: "four" }] }) {
  const callTool = jest.fn(async (_call: { name: string; arguments: Record<string, unknown> }) => result);
  return { listTools: async () => ({ tools }), callTool };
}

describe("useTools", () => {
  test("calls the first preferred tool that exists, with the arguments that it knows", async () => {
    const mcp = client([tool("list_files"), tool("search_text", { query: {}, max_results: {}, path: {} })]);
    expect(await useTools(mcp, ["search_text", "list_files"])).toBe("2 tools, search_text: 4 characters");
    expect(mcp.callTool).toHaveBeenCalledWith({
      name: "search_text",
      arguments: { query: "the", max_results: 1 },
    });
  });

  test("calls a read-only tool without required arguments on another server", async () => {
    const needs = {
      inputSchema: { properties: { id: {} }, required: ["id"] },
      annotations: { readOnlyHint: true },
    };
    const mcp = client([
      tool("write"),
      tool("fetch", {}, needs),
      tool("status", {}, { annotations: { readOnlyHint: true } }),
    ]);
    expect(await useTools(mcp, ["list_files"])).toBe("3 tools, status: 4 characters");
  });

  test("summarizes the results of the bundled server's tools", async () => {
    const found = { content: [], structuredContent: { matches: [{ path: "a.ts", line: 3 }] } };
    expect(await useTools(client([tool("search_text")], found), ["search_text"])).toBe(
      "1 tool, search_text: found a.ts:3",
    );
    const listed = { content: [], structuredContent: { total: 12 } };
    expect(await useTools(client([tool("list_files")], listed), ["list_files"])).toBe(
      "1 tool, list_files: 12 files",
    );
  });

  test.each([
    [client([]), "tools/list is empty"],
    [client([tool("write"), tool("delete")]), "2 tools (write, delete), none that can be called"],
    [
      client([tool("list_files")], { isError: true, content: [{ type: "text", text: "no repository" }] }),
      "list_files answered an error: no repository",
    ],
  ])("fails without a usable tool or result (%#)", async (mcp, message) => {
    await expect(useTools(mcp, ["list_files"])).rejects.toThrow(message);
  });
});
