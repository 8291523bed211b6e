import { describe, expect, test } from "@jest/globals";
import * as z from "zod";
import type { InputSchema } from "../../../../server/tools/arguments/input-schema.ts";
import { lenientArguments } from "../../../../server/tools/arguments/lenient.ts";
import { describeArguments } from "../../../../server/tools/arguments/refusal.ts";
import { wireSchemas } from "../../../../server/tools/arguments/wire-schema.ts";
import { TOOLS } from "../../../../server/tools/index.ts";

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

const required = (one: (typeof TOOLS)[number]) =>
  Object.fromEntries((inputOf(one).required ?? []).map((key) => [key, REQUIRED[key] ?? "x"]));

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
    const { validate } = wireSchemas(one).input["~standard"];
    const without = await validate(required(one));
    expect(without.issues).toBeUndefined();
    for (const value of [null, undefined, ""])
      expect(await validate({ ...required(one), [name]: value })).toEqual(without);
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
    ["a synonym", "read_file", { file_path: "a" }, { path: "a" }],
    [
      "synonyms",
      "search_text",
      { pattern: "x", limit: 3, repository: "r" },
      { query: "x", max_results: 3, repo: "r" },
    ],
    ["the argument itself before its synonym", "search_text", { query: "x", pattern: "y" }, { query: "x" }],
    ["a synonym where the argument is null", "search_text", { query: null, pattern: "y" }, { query: "y" }],
    ["a slip in a long name", "search_text", { query: "x", max_result: 5 }, { query: "x", max_results: 5 }],
    [
      "a number of lines",
      "read_file",
      { path: "a", offset: 11, limit: 10 },
      { path: "a", start_line: 11, end_line: 20 },
    ],
    [
      "a range of lines",
      "read_file",
      { path: "a", view_range: "[3, 9]" },
      { path: "a", start_line: 3, end_line: 9 },
    ],
    [
      "lines in the wrong order",
      "git_blame",
      { path: "a", start_line: 9, end_line: 3 },
      { path: "a", start_line: 3, end_line: 9 },
    ],
    ["a page", "list_files", { page: 3, limit: "10" }, { offset: 20, max_results: 10 }],
    [
      "switches of grep",
      "search_text",
      { pattern: "x", "-i": true, "-C": 2 },
      { query: "x", case: "insensitive", context: 2 },
    ],
    [
      "lines before and after",
      "search_text",
      { query: "x", before_context: 1, "lines-after": 4 },
      { query: "x", context: 4 },
    ],
    ["a regular expression for the switch", "search_text", { regex: "a.*b" }, { query: "a.*b", regex: true }],
    [
      "what is excluded",
      "search_text",
      { query: "x", include: "*.ts", exclude: ["*.d.ts"] },
      { query: "x", globs: ["*.ts", "!*.d.ts"] },
    ],
    [
      "globs with commas",
      "search_text",
      { query: "x", globs: "*.ts, *.js" },
      { query: "x", globs: ["*.ts", "*.js"] },
    ],
    ["several globs for one", "list_files", { glob: ["*.ts", "*.js"] }, { glob: "*.ts,*.js" }],
    [
      "short kinds",
      "find_symbol",
      { name: "x", kinds: ["Func", "classes"] },
      { name: "x", kinds: ["function", "class"] },
    ],
    ["a path with slashes around it", "list_files", { path: "./src/" }, { path: "src" }],
    ["the current folder", "list_files", { path: "." }, { path: "" }],
    [
      "a URI of this server",
      "read_file",
      { uri: "repo://r/src/a%20b.ts" },
      { repo: "r", path: "/src/a b.ts" },
    ],
    ["a file URI", "read_file", { path: "file:///src/a.ts" }, { path: "/src/a.ts" }],
    ["a place", "read_file", { path: "src/a.ts:12" }, { path: "src/a.ts", start_line: 12 }],
    [
      "lines of a link",
      "git_blame",
      { path: "src/a.ts#L3-L9" },
      { path: "src/a.ts", start_line: 3, end_line: 9 },
    ],
    [
      "a place for a definition",
      "go_to_definition",
      { path: "src/a.ts:12:5", symbol: "x" },
      { path: "src/a.ts", line: 12, column: 5, symbol: "x" },
    ],
    [
      "the words of editors for calls",
      "call_hierarchy",
      { symbol_name: "a.B", direction: "incoming", max_depth: "3" },
      { name: "a.B", direction: "callers", depth: 3 },
    ],
    [
      "a symbol for a question",
      "explore",
      { symbol: "a.B", budget: 2000 },
      { query: "a.B", max_tokens: 2000 },
    ],
    ["an empty list for no arguments, as PHP writes it", "list_repos", [], {}],
    [
      "the options of grep",
      "search_text",
      { pattern: "x", "-n": true, "-i": true, "-A": 2, type: "ts", head_limit: "5", output_mode: "content" },
      {
        query: "x",
        "-n": true,
        case: "insensitive",
        context: 2,
        globs: ["*.{ts,tsx,mts,cts}"],
        max_results: 5,
        output: "matches",
      },
    ],
    [
      "extensions",
      "search_text",
      { query: "x", extensions: ".go, rs" },
      { query: "x", globs: ["*.go", "*.rs"] },
    ],
    [
      "whole words",
      "search_text",
      { query: "a.b", whole_word: true },
      { query: "\\b(?:a\\.b)\\b", regex: true },
    ],
    [
      "flags",
      "search_text",
      { query: "A", regex: true, flags: "gi" },
      { query: "A", regex: true, case: "insensitive" },
    ],
    [
      "several folders",
      "search_text",
      { query: "x", paths: ["src", "./lib/"] },
      { query: "x", globs: ["/src", "/lib"] },
    ],
    [
      "lines in one text",
      "read_file",
      { path: "a.ts", start_line: "10-20" },
      { path: "a.ts", start_line: 10, end_line: 20 },
    ],
    [
      "lines of a link alone",
      "read_file",
      { path: "a.ts", lines: "L10-L20" },
      { path: "a.ts", start_line: 10, end_line: 20 },
    ],
    ["lines with an open end", "read_file", { path: "a.ts", lines: "10-" }, { path: "a.ts", start_line: 10 }],
    [
      "lines as an object",
      "read_file",
      { path: "a.ts", range: { start: 3, end: 5 } },
      { path: "a.ts", start_line: 3, end_line: 5 },
    ],
    [
      "the place of a compiler",
      "read_file",
      { path: "src/a.ts(12,5)" },
      { path: "src/a.ts", start_line: 12 },
    ],
    [
      "a page of GitHub",
      "read_file",
      { path: "https://github.com/o/r/blob/main/src/a.ts#L2-L3" },
      { repo: "r", path: "src/a.ts", start_line: 2, end_line: 3 },
    ],
    [
      "a page of GitLab with a hash",
      "read_file",
      { path: "https://gitlab.com/g/sub/r/-/blob/0123abcd/src/a.ts?ref_type=heads#L2" },
      { repo: "r", path: "src/a.ts", revision: "0123abcd", start_line: 2 },
    ],
    ["arguments in a wrapper", "search_text", { arguments: { q: "x" } }, { query: "x" }],
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

  test.each(TOOLS.map((one) => [one.name, one] as const))(
    "%s is refused with a call that is accepted, whatever argument is wrong",
    async (_, one) => {
      const { validate } = wireSchemas(one).input["~standard"];
      for (const name of Object.keys(inputOf(one).properties ?? {})) {
        const refused = await validate({ ...required(one), [name]: { wrong: true } });
        const [, call = ""] =
          / Send for example: (\{.*\})$/.exec(refused.issues?.at(-1)?.message ?? "") ?? [];
        expect([name, (await validate(JSON.parse(call))).issues]).toEqual([name, undefined]);
      }
    },
  );

  test("the call in a refusal keeps what was right", async () => {
    const given = { query: "needle", regex: "yes", globs: "*.ts", max_results: "many", trace: 1 };
    const refused = await wireSchemas(tool("search_text")).input["~standard"].validate(given);
    expect(refused.issues?.at(-1)?.message).toMatch(
      / Send for example: \{"query":"needle","regex":true,"globs":\["\*\.ts"\]\}$/,
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
