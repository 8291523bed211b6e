import { expect, test } from "@jest/globals";
import { makeRepository, openSession, type RunningApp, rpc, startApp, temporaryFolder } from "../support.ts";

const CHATGPT = { "user-agent": "openai-mcp/1.0.0 (ChatGPT)" };
const META = {
  "io.modelcontextprotocol/protocolVersion": "2026-07-28",
  "io.modelcontextprotocol/clientInfo": { name: "test", version: "1" },
  "io.modelcontextprotocol/clientCapabilities": {},
};

/** The tools for ChatGPT that a client is offered, in each way to list them. */
async function offered({ origin }: RunningApp, headers: Record<string, string>): Promise<string[]> {
  const list = (params: object) => ({ jsonrpc: "2.0", id: 1, method: "tools/list", params });
  const modern = { "mcp-protocol-version": "2026-07-28", "mcp-method": "tools/list" };
  const session = await openSession(origin, headers);
  const texts = await Promise.all(
    [
      rpc(origin, list({}), { ...headers, "mcp-session-id": session }),
      rpc(origin, list({}), headers),
      rpc(origin, list({ _meta: META }), { ...headers, ...modern }),
    ].map(async (response) => (await response).text()),
  );
  return texts.map((text) => ["search", "fetch"].filter((name) => text.includes(`"name":"${name}"`)).join());
}

test("search and fetch are offered to ChatGPT, and to other clients by a variable", async () => {
  const folder = await temporaryFolder();
  try {
    await makeRepository(`${folder.path}/sample`);
    for (const direct of ["yes", "no"]) {
      await using running = await startApp({ WORKSPACE_DIR: folder.path, DIRECT_CALLS: direct });
      running.app.capabilities.set("index", true, "for the test");
      expect(await offered(running, CHATGPT)).toEqual(Array(3).fill("search,fetch"));
      expect(await offered(running, { "user-agent": "claude-code/2.0" })).toEqual(["", "", ""]);
    }
    await using open = await startApp({ WORKSPACE_DIR: folder.path, CHATGPT_TOOLS: "always" });
    open.app.capabilities.set("index", true, "for the test");
    expect(await offered(open, {})).toEqual(Array(3).fill("search,fetch"));
  } finally {
    await folder.remove();
  }
});
