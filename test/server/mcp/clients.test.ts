import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { Client as Client2025 } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport as Transport2025 } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { tokenCommand } from "../../../server/auth/token-command.ts";
import { TOOLS } from "../../../server/tools/index.ts";
import { makeRepository, type RunningApp, startApp, temporaryFolder } from "../support.ts";

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let running: RunningApp;
let token: string;
let opsToken: string;

beforeAll(async () => {
  folder = await temporaryFolder();
  await makeRepository(join(folder.path, "workspace", "sample"));
  const tokensFile = join(folder.path, "tokens.json");
  const create = async (scopes: string) => {
    let made = "";
    const args = ["create", "--name", "t", "--scopes", scopes, "--json"];
    await tokenCommand({ TOKENS_FILE: tokensFile }, (text) => {
      made = text;
    }).parseAsync(args, { from: "user" });
    return JSON.parse(made).token as string;
  };
  token = await create("code:read");
  opsToken = await create("ops");
  running = await startApp({
    AUTH_MODE: "token",
    TOKENS_FILE: tokensFile,
    WORKSPACE_DIR: join(folder.path, "workspace"),
  });
});
afterAll(async () => {
  await running.app.close();
  await folder.remove();
});

const url = () => new URL(`${running.origin}/mcp`);
const options = (bearer = token) => ({ requestInit: { headers: { authorization: `Bearer ${bearer}` } } });
/** No index is built here, so the tools that need one are not listed. */
const NAMES = TOOLS.filter((tool) => !tool.needs?.includes("index") && !tool.onlyFor).map(
  (tool) => tool.name,
);

/** What both generations of client share. */
interface AnyClient {
  listTools(): Promise<{ tools: { name: string; annotations?: unknown }[] }>;
  callTool(call: { name: string; arguments: Record<string, unknown> }): Promise<unknown>;
}

async function findTheNeedle(client: AnyClient): Promise<void> {
  const { tools } = await client.listTools();
  expect(tools.map((t) => t.name)).toEqual(NAMES);
  expect(tools.every((t) => (t.annotations as { readOnlyHint: boolean }).readOnlyHint)).toBe(true);
  const result = (await client.callTool({
    name: "search_text",
    arguments: { query: "needle", path: "src" },
  })) as {
    structuredContent: unknown;
    content: { text: string }[];
  };
  expect(result.structuredContent).toEqual({
    repo: "sample",
    matches: [{ path: "src/main.ts", line: 2, column: 22, text: 'export const name = "needle";' }],
    truncated: false,
    next_offset: null,
    timed_out: false,
    source: { commit: expect.stringMatching(/^[0-9a-f]{40}$/), committed_at: expect.any(String) },
  });
  expect(result.content[0]?.text).toMatch(
    /^src\/main\.ts:2: export const name = "needle";\n\[sample at [0-9a-f]{12}, committed /,
  );
}

test("the 2025 client opens a session, lists and calls tools, and deletes the session", async () => {
  const client = new Client2025({ name: "t", version: "1" });
  const transport = new Transport2025(url(), options());
  await client.connect(transport as Parameters<typeof client.connect>[0]);
  try {
    expect(transport.sessionId).toMatch(/^[0-9a-f-]{36}$/);
    expect(client.getServerVersion()?.name).toBe("mcp-edge");
    await findTheNeedle(client as unknown as AnyClient);
    await transport.terminateSession();
  } finally {
    await client.close();
  }
});

describe.each([
  ["legacy", "legacy" as const, "2025-11-25"],
  ["auto", "auto" as const, "2026-07-28"],
  ["pinned to 2026-07-28", { pin: "2026-07-28" }, "2026-07-28"],
])("the 2026 client, %s", (_, mode, version) => {
  test(`speaks ${version} and gets a result of search_text`, async () => {
    const client = new Client({ name: "t", version: "1" }, { versionNegotiation: { mode } });
    await client.connect(new StreamableHTTPClientTransport(url(), options()));
    try {
      expect(client.getNegotiatedProtocolVersion()).toBe(version);
      await findTheNeedle(client as unknown as AnyClient);
    } finally {
      await client.close();
    }
  });
});

test("tools/list has only the tools of the token's scopes", async () => {
  const client = new Client(
    { name: "t", version: "1" },
    { versionNegotiation: { mode: { pin: "2026-07-28" } } },
  );
  await client.connect(new StreamableHTTPClientTransport(url(), options(opsToken)));
  try {
    expect((await client.listTools()).tools).toEqual([]);
  } finally {
    await client.close();
  }
});

test("a failing tool answers with isError and says what to do", async () => {
  const client = new Client({ name: "t", version: "1" }, { versionNegotiation: { mode: "auto" } });
  await client.connect(new StreamableHTTPClientTransport(url(), options()));
  try {
    const result = await client.callTool({ name: "read_file", arguments: { path: "src" } });
    expect(result.isError).toBe(true);
    expect(result.content).toEqual([
      { type: "text", text: '"src" is a folder. Call list_files with path "src".' },
    ]);
  } finally {
    await client.close();
  }
});

test("no token is in the log", () => {
  const text = JSON.stringify(running.logs);
  expect(text).toContain('"request"');
  expect(text).not.toContain(token);
  expect(text).not.toContain("mcp_");
});
