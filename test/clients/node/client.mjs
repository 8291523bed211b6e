/**
 * One JavaScript MCP client against one server: connects, lists the tools, calls one, closes. Prints what it saw as JSON.
 * Arguments: the client's name, the server's URL, a bearer token. Ends with 1 and the client's own words on an error.
 */
const [client, url, token] = process.argv.slice(2);
const headers = { authorization: `Bearer ${token}` };
const TOOL = "search_text";
// As frameworks hand on what a model leaves out.
const args = { query: "needle", repo: null, globs: null, max_results: null };
const report = (tools, text) => console.log(JSON.stringify({ tools: tools.toSorted(), text: String(text) }));

async function bySdk(Client, StreamableHTTPClientTransport, options) {
  const mcp = new Client({ name: "test", version: "1.0.0" }, options);
  const transport = new StreamableHTTPClientTransport(new URL(url), { requestInit: { headers } });
  await mcp.connect(transport);
  const { tools } = await mcp.listTools();
  const result = await mcp.callTool({ name: TOOL, arguments: args });
  report(
    tools.map((tool) => tool.name),
    result.content[0].text,
  );
  await transport.terminateSession?.();
  await mcp.close();
}

const clients = {
  async "sdk-1"() {
    const { Client } = await import("@modelcontextprotocol/sdk/client/index.js");
    const http = await import("@modelcontextprotocol/sdk/client/streamableHttp.js");
    await bySdk(Client, http.StreamableHTTPClientTransport, {});
  },

  async "sdk-2"() {
    const { Client, StreamableHTTPClientTransport } = await import("@modelcontextprotocol/client");
    await bySdk(Client, StreamableHTTPClientTransport, { versionNegotiation: { mode: "auto" } });
  },

  async "ai-sdk"() {
    const { createMCPClient } = await import("@ai-sdk/mcp");
    const mcp = await createMCPClient({ transport: { type: "http", url, headers } });
    try {
      const tools = await mcp.tools();
      const result = await tools[TOOL].execute(args, { toolCallId: "1", messages: [] });
      report(Object.keys(tools), JSON.stringify(result));
    } finally {
      await mcp.close();
    }
  },

  async "langchain-js"() {
    const { MultiServerMCPClient } = await import("@langchain/mcp-adapters");
    const mcp = new MultiServerMCPClient({ mcpServers: { edge: { transport: "http", url, headers } } });
    try {
      const tools = await mcp.getTools();
      const tool = tools.find(({ name }) => name === TOOL);
      // The adapter checks the arguments itself, by the strict schema.
      const result = await tool.invoke({ query: "needle" });
      report(
        tools.map(({ name }) => name),
        typeof result === "string" ? result : JSON.stringify(result),
      );
    } finally {
      await mcp.close();
    }
  },
};

await clients[client]();
