import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { TOOLS } from "../../../server/tools/index.ts";
import type { Tool } from "../../../server/tools/tool.ts";
import { eventually, makeRepository, type RunningApp, startApp, temporaryFolder } from "../support.ts";

/** Tools that make no reports themselves. */
const HEARTBEAT_ONLY = ["git_log", "git_blame", "search_text"];
const AT_ONCE = 0;
/** The longest time of a timer, 24 days. */
const NEVER = 2 ** 31 - 1;

/** A tool whose heartbeat does not depend on how long a call takes on a busy host. */
const timed = (tool: Tool): Tool => {
  const heartbeatMs = HEARTBEAT_ONLY.includes(tool.name) ? AT_ONCE : NEVER;
  return { ...tool, run: (args, context) => tool.run(args, { ...context, heartbeatMs }) };
};

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let running: RunningApp;
beforeAll(async () => {
  folder = await temporaryFolder();
  for (const name of ["one", "two"]) await makeRepository(join(folder.path, "workspace", name));
  const env = { WORKSPACE_DIR: join(folder.path, "workspace"), INDEX_DIR: join(folder.path, "index") };
  running = await startApp({ ...env, CHATGPT_TOOLS: "always" }, { tools: TOOLS.map(timed) });
  await running.app.start();
  const built = () => running.logs.filter(({ msg }) => msg === "indexed").length;
  await eventually(() => built() === 2, "both indexes");
});
afterAll(async () => {
  await running.app.close();
  await folder.remove();
});

describe.each([
  ["2025-11-25", "legacy"],
  ["2026-07-28", { pin: "2026-07-28" }],
] as const)("a client of %s", (_, mode) => {
  const client = new Client({ name: "t", version: "1" }, { versionNegotiation: { mode } });
  beforeAll(() => client.connect(new StreamableHTTPClientTransport(new URL(`${running.origin}/mcp`))));
  afterAll(() => client.close());

  test.each<[string, Record<string, unknown>, RegExp]>([
    ["search", { query: "answer" }, /^searched (one|two)$/],
    [
      "search_structural",
      { repo: "one", pattern: "const $A = $B", language: "typescript" },
      /^0 of 1 files$/,
    ],
    ["find_references", { repo: "one", name: "answer", include_definitions: true }, /^0 of 1 files$/],
    ["git_diff", { repo: "one", commit: "HEAD" }, /^diff of /],
    ["git_log", { repo: "one" }, /^git_log: 0 s$/],
    ["git_blame", { repo: "one", path: "README.md" }, /^git_blame: 0 s$/],
    ["search_text", { repo: "one", query: "answer" }, /^search_text: 0 s$/],
  ])("gets rising progress with a message from %s", async (name, args, message) => {
    const reports: { progress: number; message?: string | undefined }[] = [];
    const result = await client.callTool(
      { name, arguments: args },
      { onprogress: (report) => void reports.push(report) },
    );
    expect(result.isError ?? false).toBe(false);
    expect(reports[0]?.message).toMatch(message);
    const values = reports.map((report) => report.progress);
    expect(values).toEqual([...new Set(values)].sort((a, b) => a - b));
  });
});
