import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import * as z from "zod";
import { TOOLS } from "../../../server/tools/index.ts";
import {
  describeArguments,
  type InputSchema,
  lenientArguments,
} from "../../../server/tools/lenient-arguments.ts";
import { wireSchemas } from "../../../server/tools/wire-schema.ts";
import { makeRepository, type RunningApp, rpc, startApp, temporaryFolder } from "../support.ts";

const inputOf = (tool: (typeof TOOLS)[number]) => z.toJSONSchema(tool.input, { io: "input" }) as InputSchema;
const tool = (name: string) => TOOLS.find((one) => one.name === name) as (typeof TOOLS)[number];
const meant = (name: string, given: unknown) => lenientArguments(given, inputOf(tool(name)));

/** Arguments that the schema requires, with sound values. */
const REQUIRED: Record<string, unknown> = {
  query: "needle",
  pattern: "f($A)",
  language: "python",
  name: "answer",
  path: "README.md",
  line: 1,
  id: "x",
};

describe("every optional argument of every tool", () => {
  const optional = TOOLS.flatMap((one) => {
    const schema = inputOf(one);
    return Object.keys(schema.properties ?? {})
      .filter((name) => !schema.required?.includes(name))
      .map((name) => [one.name, name] as const);
  });

  test("is in the table, which has more than 80 rows", () => expect(optional.length).toBeGreaterThan(80));

  test.each(optional)("%s.%s: null and an empty text count as absent", async (toolName, name) => {
    const one = tool(toolName);
    const required = Object.fromEntries(
      (inputOf(one).required ?? []).map((key) => [key, REQUIRED[key] ?? "x"]),
    );
    const { validate } = wireSchemas(one).input["~standard"];
    const without = await validate(required);
    expect(without.issues).toBeUndefined();
    for (const value of [null, undefined, ""])
      expect(await validate({ ...required, [name]: value })).toEqual(without);
  });
});

describe("a malformed argument", () => {
  test.each<[string, string, unknown, unknown]>([
    [
      "a list as JSON text",
      "search_text",
      { query: "x", globs: '["*.ts"]' },
      { query: "x", globs: ["*.ts"] },
    ],
    [
      "one value for a list",
      "search_text",
      { query: "x", globs: "*.{ts,tsx}" },
      { query: "x", globs: ["*.{ts,tsx}"] },
    ],
    ["an empty text for a list", "search_text", { query: "x", globs: "" }, { query: "x" }],
    [
      "nulls in a list",
      "search_text",
      { query: "x", globs: [null, "*.ts", ""] },
      { query: "x", globs: ["*.ts"] },
    ],
    [
      "names in a list, as text",
      "find_symbol",
      { name: "x", kinds: "class, Function" },
      { name: "x", kinds: ["class", "function"] },
    ],
    [
      "a list of names as JSON text",
      "find_symbol",
      { name: "x", kinds: '["class"]' },
      { name: "x", kinds: ["class"] },
    ],
    ["a number as text", "read_file", { path: "a", start_line: "20" }, { path: "a", start_line: 20 }],
    [
      "a whole number with a point",
      "read_file",
      { path: "a", start_line: "20.0" },
      { path: "a", start_line: 20 },
    ],
    ["None for a number", "read_file", { path: "a", end_line: "None" }, { path: "a" }],
    ["-1 for the end", "read_file", { path: "a", end_line: -1 }, { path: "a" }],
    ["0 for the first line", "read_file", { path: "a", start_line: 0 }, { path: "a", start_line: 1 }],
    [
      "more than there may be",
      "search_text",
      { query: "x", max_results: 10_000 },
      { query: "x", max_results: 500 },
    ],
    ["a boolean as text", "search_text", { query: "x", regex: "True" }, { query: "x", regex: true }],
    ["a boolean as a number", "search_text", { query: "x", regex: 0 }, { query: "x", regex: false }],
    ["a number for text", "search_text", { query: 404 }, { query: "404" }],
    ["a list of one for text", "read_file", { path: ["a"] }, { path: "a" }],
    ["a list of one as JSON text for a path", "read_file", { path: '["a"]' }, { path: "a" }],
    ["JSON text that is searched for", "search_text", { query: '["a"]' }, { query: '["a"]' }],
    [
      "an enum in another case",
      "search_structural",
      { pattern: "x", language: "TypeScript" },
      { pattern: "x", language: "typescript" },
    ],
    [
      "a short form",
      "search_structural",
      { pattern: "x", language: "ts" },
      { pattern: "x", language: "typescript" },
    ],
    ["camelCase", "search_text", { query: "x", maxResults: 5 }, { query: "x", max_results: 5 }],
    ["kebab-case", "read_file", { path: "a", "start-line": 3 }, { path: "a", start_line: 3 }],
    ["a synonym", "read_file", { file_path: "a", limit: 3 }, { path: "a", limit: 3 }],
    [
      "synonyms",
      "search_text",
      { pattern: "x", limit: 3, repository: "r" },
      { query: "x", max_results: 3, repo: "r" },
    ],
    ["the argument itself before its synonym", "search_text", { query: "x", pattern: "y" }, { query: "x" }],
    ["a synonym where the argument is null", "search_text", { query: null, pattern: "y" }, { query: "y" }],
    ["all the arguments as JSON text", "search_text", '{"query":"x"}', { query: "x" }],
    ["no arguments", "list_repos", null, {}],
    ["an argument of the client's own", "search_text", { query: "x", _trace: 1 }, { query: "x", _trace: 1 }],
  ])("%s", (_, name, given, expected) => {
    expect(meant(name, given)).toEqual(expected);
  });

  test.each<[string, unknown]>([
    ["a sentence for a number", { query: "x", max_results: "many" }],
    ["an object for text", { query: { a: 1 } }],
    ["null for what is required", { query: null }],
    ["text that is no boolean", { query: "x", regex: "perhaps" }],
    ["two texts for one", { query: ["a", "b"] }],
    ["an unknown enum", { query: "x", case: "upper" }],
  ])("%s is refused with the accepted form", async (_, given) => {
    const result = await wireSchemas(tool("search_text")).input["~standard"].validate(given);
    expect(result.issues?.at(-1)?.message).toMatch(
      /^search_text takes \{"query": string, "regex"\?: boolean/,
    );
  });

  test("properties of Object.prototype are not arguments", () => {
    expect(
      meant("search_text", JSON.parse('{"query":"x","__proto__":{"repo":"r"},"constructor":1}')),
    ).toMatchObject({
      query: "x",
    });
    expect(({} as Record<string, unknown>).repo).toBeUndefined();
  });

  test("the description of the arguments has their types and which are optional", () => {
    expect(describeArguments(inputOf(tool("find_symbol")))).toMatch(
      /^\{"name": string, "match"\?: "exact" \| "prefix" \| "substring", "kinds"\?: \("class" \| /,
    );
  });
});

test("JSON Schemas are converted once", () => {
  const { input, output } = wireSchemas(tool("read_file"));
  const options = { target: "draft-2020-12" } as const;
  expect(input["~standard"].jsonSchema.input(options)).toBe(input["~standard"].jsonSchema.input(options));
  expect(output["~standard"].jsonSchema.output(options)).toBe(output["~standard"].jsonSchema.output(options));
  expect(wireSchemas(tool("read_file")).input).toBe(input);
});

describe("over HTTP", () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let running: RunningApp;
  beforeAll(async () => {
    folder = await temporaryFolder();
    await makeRepository(join(folder.path, "sample"));
    running = await startApp({ WORKSPACE_DIR: folder.path });
  });
  afterAll(async () => {
    await running.app.close();
    await folder.remove();
  });

  const ENVELOPE = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientCapabilities": {},
    "io.modelcontextprotocol/clientInfo": { name: "test", version: "1" },
  };
  const ways = {
    "2025-11-25": async (name: string, args: unknown) => {
      const body = { jsonrpc: "2.0", id: 1, method: "tools/call", params: { name, arguments: args } };
      return (await rpc(running.origin, body, { accept: "application/json" })).text();
    },
    "2026-07-28": async (name: string, args: unknown) => {
      const params = { name, arguments: args, _meta: ENVELOPE };
      const headers = { "mcp-protocol-version": "2026-07-28", "mcp-method": "tools/call", "mcp-name": name };
      return (
        await rpc(running.origin, { jsonrpc: "2.0", id: 1, method: "tools/call", params }, headers)
      ).text();
    },
    "/api": async (name: string, args: unknown) =>
      (
        await fetch(`${running.origin}/api/tools/${name}`, {
          method: "POST",
          headers: { "content-type": "application/json" },
          body: JSON.stringify(args),
        })
      ).text(),
  };

  test.each(Object.entries(ways))("%s takes null, empty text and lists as text", async (_, call) => {
    for (const args of [
      { query: "needle", repo: null, path: null, globs: null, max_results: null },
      { query: "needle", repo: "", path: "", globs: '["*.ts"]' },
      { query: "needle", globs: "*.ts", maxResults: "5" },
    ])
      expect(await call("search_text", args)).toContain("src/main.ts");
    expect(await call("read_file", { path: "README.md", revision: null, end_line: null })).toContain(
      "haystack",
    );
    expect(await call("search_text", { query: {} })).toContain("search_text takes {");
  });
});

test("published schemas never have a list of types, which several clients do not support", () => {
  const lists: string[] = [];
  const walk = (value: unknown, at: string) => {
    if (typeof value !== "object" || value === null) return;
    if ("type" in value && Array.isArray(value.type)) lists.push(at);
    for (const [key, inner] of Object.entries(value)) walk(inner, `${at}.${key}`);
  };
  for (const one of TOOLS) {
    walk(inputOf(one), `${one.name} input`);
    walk(z.toJSONSchema(one.output, { io: "output" }), `${one.name} output`);
  }
  expect(lists).toEqual([]);
});
