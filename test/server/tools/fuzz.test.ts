import { afterAll, beforeAll, expect, test } from "@jest/globals";
import fc from "fast-check";
import { ToolError } from "../../../server/tool-error.ts";
import { TOOLS } from "../../../server/tools/index.ts";
import { type Lab, makeLab } from "./support.ts";

let lab: Lab;
beforeAll(async () => {
  lab = await makeLab();
});
afterAll(() => lab.remove());

/** Texts that are likely to be trouble, and texts that nobody thought of. */
const piece = fc.oneof(
  fc.constantFrom(
    "..",
    ".",
    "",
    ".git",
    "src",
    "main.ts",
    "up",
    "leaves.txt",
    "zero",
    "secret.env",
    "config-link",
    "*",
    "**",
  ),
  fc.constantFrom(
    "-",
    "--",
    "--pre",
    ":(top)",
    ":!",
    "[",
    "{a,b}",
    "\\",
    "~",
    "%2e%2e",
    "\0",
    "\n",
    "\ud800",
    "é",
    "(",
    "a|b",
  ),
  fc.string({ unit: "binary", maxLength: 8 }),
);
const text = fc
  .array(piece, { maxLength: 5 })
  .chain((parts) => fc.constantFrom("/", "").map((by) => parts.join(by)));
const number = fc.oneof(fc.integer(), fc.integer({ min: 0, max: 20 }), fc.double());
const value = fc.oneof(text, number, fc.boolean(), fc.constant(null), fc.array(text, { maxLength: 3 }));

const ARGUMENTS = [
  "repo",
  "path",
  "glob",
  "globs",
  "query",
  "regex",
  "case",
  "context",
  "start_line",
  "end_line",
  "max_chars",
  "max_results",
  "offset",
];
const wild = fc.dictionary(fc.constantFrom(...ARGUMENTS), value);
/** Well-typed arguments, so that most calls come past the schema. */
const tame = fc.record(
  {
    path: text,
    glob: text,
    globs: fc.array(text, { maxLength: 3 }),
    query: text,
    regex: fc.boolean(),
    context: fc.integer({ min: 0, max: 10 }),
    start_line: fc.integer({ min: 1, max: 200 }),
    max_results: fc.integer({ min: 1, max: 50 }),
  },
  { requiredKeys: ["query", "path"] },
);

/** Whatever is asked: an answer of the promised shape, or a refusal in words; and nothing that must stay hidden. */
async function ask(tool: (typeof TOOLS)[number], args: Record<string, unknown>): Promise<void> {
  const parsed = tool.input.safeParse(args);
  if (!parsed.success) return;
  let answer: string;
  try {
    answer = JSON.stringify(await lab.call(tool, args));
  } catch (error) {
    if (!(error instanceof ToolError)) throw error;
    answer = error.message;
  }
  expect(answer).not.toMatch(/needle outside|PASSWORD=|repositoryformatversion/);
}

test.each(TOOLS.map((tool) => [tool.name, tool] as const))(
  "%s withstands any arguments",
  async (_, tool) => {
    const withRepo = tame.map((args) => ({ ...args, repo: "alpha" }));
    await fc.assert(
      fc.asyncProperty(fc.oneof({ arbitrary: wild, weight: 1 }, { arbitrary: withRepo, weight: 3 }), (args) =>
        ask(tool, args),
      ),
      { numRuns: 200 },
    );
  },
  120_000,
);
