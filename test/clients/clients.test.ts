import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import { run } from "../../infra/exec.ts";
import { tokenCommand } from "../../server/auth/token-command.ts";
import { makeRepository, type RunningApp, startApp, temporaryFolder } from "../server/support.ts";
import { CLIENTS, commandOf } from "./programs.ts";

/**
 * Real MCP clients, as they are published, against the server: `npm run test:clients`. They are not part of `npm test`: their packages
 * are a gigabyte, and the Rust one is compiled for minutes.
 */
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let running: RunningApp;
let token: string;
beforeAll(async () => {
  folder = await temporaryFolder();
  await makeRepository(join(folder.path, "workspace", "sample"));
  const tokensFile = join(folder.path, "tokens.json");
  await tokenCommand({ TOKENS_FILE: tokensFile }, (text) => {
    token = JSON.parse(text).token;
  }).parseAsync(["create", "--name", "t", "--json"], { from: "user" });
  const env = { WORKSPACE_DIR: join(folder.path, "workspace"), AUTH_MODE: "token", TOKENS_FILE: tokensFile };
  running = await startApp(env);
});
afterAll(async () => {
  await running?.app.close();
  await folder?.remove();
});
beforeEach(() => {
  running.logs.length = 0;
});

describe.each(CLIENTS)("$language: $name", (client) => {
  let command: [string, ...string[]];
  beforeAll(async () => {
    command = await commandOf(client);
  }, 1_500_000);

  const connect = async (path: string, bearer: string) => {
    const [program, ...rest] = command;
    const { code, stdout, stderr } = await run(program, [...rest, `${running.origin}${path}`, bearer], {
      // Longer than CrewAI's own 20 s for a connection, and its 20 s more to give up.
      timeout: 75_000,
      accept: [0, 1],
      env: { MCP_USE_ANONYMIZED_TELEMETRY: "false", NODE_NO_WARNINGS: "1" },
    });
    return { code, all: `${stdout}\n${stderr}` };
  };
  const deletes = () => running.logs.filter(({ msg, method }) => msg === "request" && method === "DELETE");

  test("connects, lists, calls with nulls for what is optional, and ends its session", async () => {
    const { code, all } = await connect("/mcp", token);
    expect([code, all]).toEqual([0, expect.any(String)]);
    const report = all.split("\n").find((line) => line.startsWith('{"t')) ?? "";
    const { tools, text } = JSON.parse(report);
    expect(tools).toEqual(expect.arrayContaining(["search_text", "read_file"]));
    expect(text).toContain("src/main.ts");
    expect(deletes().length > 0).toBe(client.deletes);
    for (const { status } of deletes()) expect(status).toBe(200);
  });

  test.each(["/", "/sse"])("given %s by mistake, it ends with an error instead of waiting", async (path) => {
    const { code, all } = await connect(path, token);
    expect(code).toBe(1);
    if (client.showsErrors) expect(all).toContain("the MCP endpoint is /mcp");
  });

  test("with a wrong token it ends with an error instead of waiting", async () => {
    expect((await connect("/mcp", "mcp_wrong")).code).toBe(1);
  });
});
