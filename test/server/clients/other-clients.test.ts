import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { run } from "../../../infra/exec.ts";
import { projectRoot } from "../../../infra/paths.ts";
import { tokenCommand } from "../../../server/auth/token-command.ts";
import { conformanceProfile } from "../conformance/profile.ts";
import { makeRepository, type RunningApp, startApp, temporaryFolder } from "../support.ts";
import { pythonWithClients, whyNoPython } from "./python.ts";

/** A client takes seconds to start, and ten times as long on a busy host. */
const LIMIT_MS = 600_000;
const PATIENT = { timeout: LIMIT_MS };

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
  running = await startApp(env, { profile: conformanceProfile });
});
afterAll(async () => {
  await running?.app.close();
  await folder?.remove();
});

describe("Python", () => {
  const reason = whyNoPython();
  if (reason !== undefined) {
    test(`cannot run here: ${reason}`, () => {
      expect(process.env.CI).not.toBe("true");
    });
    return;
  }
  let python: string;
  beforeAll(async () => {
    python = await pythonWithClients();
  }, 600_000);

  test.each([
    ["mcp", "2025-11-25"],
    ["fastmcp", "2026-07-28"],
  ])(
    "%s of PyPI speaks %s: tools, progress, elicitation, resources, completion, prompts",
    async (kind, version) => {
      const script = join(import.meta.dirname, "clients.py");
      const { stdout } = await run(python, [script, `${running.origin}/mcp`, token, kind], PATIENT);
      expect(JSON.parse(stdout)).toEqual({
        version,
        tools: expect.arrayContaining(["search_text", "read_file"]),
        match: "src/main.ts",
        resource: expect.stringContaining("answer = 42"),
        template: "repo://{repo}/{+path}",
        prompts: expect.arrayContaining(["explain_symbol", "review_diff", "onboard"]),
        prompt: expect.stringContaining("tour of the repository"),
        completion: ["src/main.ts"],
        progress: [0, 50, 100],
        elicited: expect.stringContaining("ada"),
      });
    },
    LIMIT_MS,
  );
});

describe("the Inspector's command line", () => {
  const inspector = join(projectRoot, "node_modules/.bin/mcp-inspector");
  const ask = async (...args: string[]) => {
    const auth = ["--transport", "http", "--header", `Authorization: Bearer ${token}`];
    const { stdout } = await run(inspector, ["--cli", `${running.origin}/mcp`, ...auth, ...args], PATIENT);
    return JSON.parse(stdout);
  };

  test(
    "lists tools and resources, calls a tool, gets a prompt",
    async () => {
      const { tools } = await ask("--method", "tools/list");
      expect(tools.map((t: { name: string }) => t.name)).toContain("search_text");
      const called = await ask(
        "--method",
        "tools/call",
        "--tool-name",
        "search_text",
        "--tool-arg",
        "query=needle",
      );
      expect(called.structuredContent.matches.length).toBeGreaterThan(0);
      const { resources } = await ask("--method", "resources/list");
      expect(resources.map((r: { uri: string }) => r.uri)).toContain("repo://sample/README.md");
      const { messages } = await ask("--method", "prompts/get", "--prompt-name", "onboard");
      expect(messages[0].content.text).toContain("tour");
    },
    LIMIT_MS,
  );
});
