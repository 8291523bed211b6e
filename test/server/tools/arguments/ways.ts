import { join } from "node:path";
import { eventually, type RunningApp, rpc, startApp } from "../../support.ts";

const ENVELOPE = {
  "io.modelcontextprotocol/protocolVersion": "2026-07-28",
  "io.modelcontextprotocol/clientCapabilities": {},
  "io.modelcontextprotocol/clientInfo": { name: "test", version: "1" },
};

/** What a caller gets of a tool: its structured result, or the text of the refusal. */
export type Answer = Record<string, unknown> | string;

/** Starts the server over the `repositories` of `FOLDER/workspace`, with each tool that needs no other service, and waits for their indexes. */
export async function startWithEveryTool(folder: string, repositories = 1): Promise<RunningApp> {
  const running = await startApp({
    WORKSPACE_DIR: join(folder, "workspace"),
    INDEX_DIR: join(folder, "index"),
    RATE_LIMIT_ADDRESS: "0",
    CHATGPT_TOOLS: "always",
    // A precise index, ten seconds later, would change answers that are compared.
    INDEX_TYPESCRIPT: "no",
  });
  await running.app.start();
  // The tools are offered as soon as one of them is built.
  const built = () => running.logs.filter(({ msg }) => msg === "indexed").length;
  await eventually(() => built() === repositories && running.app.capabilities.has("index"), "the indexes");
  return running;
}

/** Calls a tool in each way that the server has: both eras of MCP, and plain HTTP. */
export const WAYS: Readonly<
  Record<string, (app: RunningApp, name: string, args: unknown) => Promise<Answer>>
> = {
  "2025-11-25": async ({ origin }, name, args) => {
    const body = { jsonrpc: "2.0", id: 1, method: "tools/call", params: { name, arguments: args } };
    return resultOf(await (await rpc(origin, body, { accept: "application/json" })).text());
  },
  "2026-07-28": async ({ origin }, name, args) => {
    const params = { name, arguments: args, _meta: ENVELOPE };
    const headers = { "mcp-protocol-version": "2026-07-28", "mcp-method": "tools/call", "mcp-name": name };
    return resultOf(
      await (await rpc(origin, { jsonrpc: "2.0", id: 1, method: "tools/call", params }, headers)).text(),
    );
  },
  "/api": async ({ origin }, name, args) => {
    const response = await fetch(`${origin}/api/tools/${name}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(args),
    });
    const answer = (await response.json()) as Record<string, unknown>;
    return response.ok ? answer : String(answer.error);
  },
};

/** Of a response as JSON, or as an event stream. */
function resultOf(text: string): Answer {
  const { result, error } = JSON.parse(/^data: (\{.*)$/m.exec(text)?.[1] ?? text) as {
    result?: {
      isError?: boolean;
      content?: { text?: string }[];
      structuredContent?: Record<string, unknown>;
    };
    error?: { message: string };
  };
  if (!result) return error?.message ?? "no result";
  return result.isError || !result.structuredContent
    ? (result.content?.[0]?.text ?? "")
    : result.structuredContent;
}
