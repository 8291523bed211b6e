import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import * as z from "zod";
import type { InputSchema } from "../../../../server/tools/arguments/input-schema.ts";
import { TOOLS } from "../../../../server/tools/index.ts";
import { makeRepository, type RunningApp, SAMPLE_FILES, temporaryFolder } from "../../support.ts";
import { startWithEveryTool, WAYS } from "./ways.ts";

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let running: RunningApp;
beforeAll(async () => {
  folder = await temporaryFolder();
  await makeRepository(join(folder.path, "workspace", "sample"), {
    ...SAMPLE_FILES,
    "caf\u00e9/Menu.md": "needle\n",
  });
  running = await startWithEveryTool(folder.path);
});
afterAll(async () => {
  await running.app.close();
  await folder.remove();
});

const REQUIRED: Record<string, Record<string, unknown>> = {
  find_files: { query: "main" },
  read_file: { path: "src/main.ts" },
  search_text: { query: "needle" },
  search_structural: { pattern: "export const $A = $B", language: "typescript" },
  find_symbol: { name: "answer" },
  find_references: { name: "answer" },
  go_to_definition: { path: "src/main.ts", line: 1 },
  call_hierarchy: { name: "answer" },
  explore: { query: "answer" },
  git_blame: { path: "src/main.ts" },
  search: { query: "needle" },
  fetch: { id: "sample:src/main.ts" },
};
const offered = TOOLS.filter(({ name }) => name !== "search_semantic");
const optionalOf = (tool: (typeof TOOLS)[number]) => {
  const { properties = {}, required = [] } = z.toJSONSchema(tool.input, { io: "input" }) as InputSchema;
  return Object.keys(properties).filter((name) => !required.includes(name));
};

describe.each(Object.entries(WAYS))("%s", (_, call) => {
  test.each(offered.map((tool) => [tool.name, tool] as const))(
    "%s answers the same for null, empty text and absent arguments",
    async (name, tool) => {
      const required = REQUIRED[name] ?? {};
      const absent = await call(running, name, required);
      expect(typeof absent === "string" ? absent : "").toBe("");
      for (const value of [null, ""]) {
        const filled = Object.fromEntries(optionalOf(tool).map((key) => [key, value]));
        expect(await call(running, name, { ...required, ...filled })).toEqual(absent);
      }
    },
  );

  test.each<[string, string, Record<string, unknown>, RegExp]>([
    ["a list as JSON text", "search_text", { query: "needle", globs: '["*.ts"]' }, /src\/main\.ts/],
    ["one value for a list", "search_text", { query: "needle", globs: "*.ts" }, /src\/main\.ts/],
    ["kinds as JSON text", "find_symbol", { name: "answer", kinds: '["constant"]' }, /"answer"/],
    ["an absolute path", "read_file", { path: "/src/main.ts" }, /needle/],
    ["the path on the server", "read_file", { path: "ROOT/src/main.ts" }, /needle/],
    ["the repository in the path", "read_file", { path: "sample/src/main.ts" }, /needle/],
    ["a URI", "read_file", { path: "repo://sample/src/main.ts" }, /needle/],
    ["another case", "read_file", { path: "SRC/Main.TS" }, /"src\/main\.ts"/],
    ["backslashes", "read_file", { path: "src\\main.ts" }, /"src\/main\.ts"/],
    ["another Unicode form", "read_file", { path: "cafe\u0301/menu.md" }, /needle/],
    ["a folder with a slash", "list_files", { path: "./src/" }, /"total":2/],
    ["the repository's URL", "list_files", { repo: "https://example.test/acme/Sample.git" }, /README\.md/],
    ["a place", "read_file", { path: "src/main.ts:3" }, /"text":"\/\/ the end"/],
  ])("takes %s", async (_what, name, args, expected) => {
    const root = join(folder.path, "workspace", "sample");
    const given = JSON.parse(JSON.stringify(args).replace("ROOT", root));
    expect(JSON.stringify(await call(running, name, given))).toMatch(expected);
  });

  test("shows the right call when it refuses one", async () => {
    expect(await call(running, "search_text", { query: {} })).toMatch(
      /search_text takes \{"query": string.*Send for example: \{"query":"TODO"\}/s,
    );
  });
});
