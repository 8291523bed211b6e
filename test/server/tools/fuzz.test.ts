import { afterAll, beforeAll, expect, test } from "@jest/globals";
import fc from "fast-check";
import * as z from "zod";
import { ToolError } from "../../../server/tool-error.ts";
import { TOOLS } from "../../../server/tools/index.ts";
import { type Fixture, makeFixture } from "./support.ts";

/** 25,000 tokens of three characters each. */
const MOST_ANSWER = 75_000;

let fixture: Fixture;
beforeAll(async () => {
  fixture = await makeFixture();
});
afterAll(() => fixture.remove());

/** Texts that are likely to cause errors, and random texts. */
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
const odd = fc.oneof(
  text,
  fc.integer(),
  fc.double(),
  fc.boolean(),
  fc.constant(null),
  fc.array(text, { maxLength: 3 }),
);
/** Texts with a meaning for some tool: names, revisions, patterns, ids, dates. */
const telling = fc.oneof(
  fc.constantFrom(
    "answer",
    "name",
    "needle",
    "main/answer",
    "HEAD",
    "HEAD~1",
    "main",
    "main@{1}",
    "HEAD:src",
    "--all",
    "^HEAD",
  ),
  fc.constantFrom(
    "$A = $B",
    "$$$",
    "console.log($X)",
    "const $N = $V",
    "class {",
    "alpha:src/main.ts",
    "alpha:src/main.ts#L1-L2",
  ),
  fc.constantFrom(
    "alpha:../x#L1",
    "alpha:.git/config",
    ":x",
    "2 weeks ago",
    "Sample",
    "src/main.ts",
    "lines.txt",
    "README.md",
  ),
);
const word = fc.oneof({ arbitrary: telling, weight: 2 }, { arbitrary: text, weight: 3 });

interface Schema {
  type?: string;
  enum?: unknown[];
  items?: Schema;
  minimum?: number;
  maximum?: number;
  maxItems?: number;
  properties?: Record<string, Schema>;
  required?: string[];
}

/** Values of the right type, by the tool's own schema: small numbers mostly, for few files have more lines. */
function valueFor(schema: Schema): fc.Arbitrary<unknown> {
  if (schema.enum) return fc.constantFrom(...schema.enum);
  if (schema.type === "boolean") return fc.boolean();
  if (schema.type === "integer") {
    const { minimum: min = 0, maximum: max = 1_000 } = schema;
    return fc.oneof(fc.integer({ min, max: Math.min(max, min + 50) }), fc.integer({ min, max }));
  }
  if (schema.type === "array")
    return fc.array(valueFor(schema.items ?? {}), { maxLength: Math.min(3, schema.maxItems ?? 3) });
  return word;
}

/** Arguments that mostly pass the schema, for the repository with the traps. */
function tame(tool: (typeof TOOLS)[number]): fc.Arbitrary<Record<string, unknown>> {
  const { properties = {}, required = [] } = z.toJSONSchema(tool.input, { io: "input" }) as Schema;
  const values = Object.fromEntries(
    Object.entries(properties).map(([name, schema]) => [name, valueFor(schema)]),
  );
  if (values.repo) values.repo = fc.constant("alpha");
  return fc.record(values, { requiredKeys: [...required, ...(values.repo ? ["repo"] : [])] });
}

/** Arguments of any type. */
const wild = (tool: (typeof TOOLS)[number]) =>
  fc.dictionary(fc.constantFrom(...Object.keys(tool.input.shape)), odd);

/** Calls the tool. It must give a valid answer or a refusal with a message, and nothing that must stay hidden. */
async function ask(tool: (typeof TOOLS)[number], args: Record<string, unknown>): Promise<void> {
  const parsed = tool.input.safeParse(args);
  if (!parsed.success) return;
  let answer: string;
  try {
    answer = JSON.stringify(await fixture.call(tool, args));
    expect(answer.length).toBeLessThan(MOST_ANSWER);
  } catch (error) {
    if (!(error instanceof ToolError)) throw error;
    answer = error.message;
  }
  expect(answer).not.toMatch(/needle outside|PASSWORD=|repositoryformatversion/);
}

test.each(TOOLS.map((tool) => [tool.name, tool] as const))("%s withstands any arguments", async (_, tool) => {
  const args = fc.oneof({ arbitrary: wild(tool), weight: 1 }, { arbitrary: tame(tool), weight: 4 });
  await fc.assert(
    fc.asyncProperty(args, (given) => ask(tool, given)),
    { numRuns: 200 },
  );
});
