import * as z from "zod";
import { KINDS } from "../index/languages.ts";
import { type Explored, RELATIONS } from "../index/queries/explore.ts";
import { namePath } from "../index/queries/symbol-rows.ts";
import { insidePath } from "../workspace/paths.ts";
import { callItem, callLine, callOutput, describeSymbol } from "./answers/calls.ts";
import { noteOf } from "./answers/no-files.ts";
import { placeLines } from "./answers/places.ts";
import { unknownName } from "./answers/unknown-name.ts";
import { indexNote } from "./paging.ts";
import { folderArgument, indexOutput, MOST_CHARS, precisionOutput, repoArgument } from "./schema.ts";
import { defineTool } from "./tool.ts";

/** Estimated length of a token of code, characters. */
const CHARS_PER_TOKEN = 3;

const input = z.object({
  query: z.string().min(1).max(1_000).describe('Symbols ("Class.method"), a file, or a question.'),
  repo: repoArgument,
  path: folderArgument(),
  depth: z.int().min(1).max(4).default(2).describe("Levels of callers."),
  max_tokens: z
    .int()
    .min(300)
    .max(MOST_CHARS / CHARS_PER_TOKEN)
    .default(6_000)
    .describe("Budget of the answer."),
});

const output = z.object({
  repo: z.string(),
  definitions: z.array(
    z.object({
      path: z.string(),
      start_line: z.int(),
      line: z.int(),
      end_line: z.int(),
      name_path: z.string(),
      kind: z.enum(KINDS),
      signature: z.string(),
      body: z.string().optional().describe("Source; of a long class the signatures of its members."),
    }),
  ),
  calls: z
    .array(z.object({ relation: z.enum(RELATIONS), ...callOutput }))
    .describe("Callers, callees and tests of the first definitions."),
  also: z.array(z.string()).describe("Other definitions that may be meant: path:line: kind name_path."),
  left_out: z.object({ definitions: z.int(), calls: z.int() }).describe("What the budget left out."),
  precision: precisionOutput,
  index: indexOutput,
});

type Result = z.output<typeof output>;

export const explore = defineTool({
  name: "explore",
  title: "Explore code",
  description:
    "Start here for a question about code: gives the definitions with source, their callers, callees and tests in one call.",
  scope: "code:read",
  needs: ["git", "index"],
  input,
  output,
  text,
  async run(args, context) {
    const repo = await context.workspace.find(args.repo);
    const { real: path } = await insidePath(repo, args.path);
    const budget = args.max_tokens * CHARS_PER_TOKEN;
    const job = { query: args.query, path, depth: args.depth, budget };
    const found = await context.index.query("explore", repo, job, context);
    const served = await context.workspace.files(repo);
    const isServed = (place: { path: string }) => served.has(place.path);
    const definitions = found.definitions
      .filter(isServed)
      .map(({ name, parent, column: _, ...rest }) => ({ ...rest, name_path: namePath({ parent, name }) }));
    return {
      repo: repo.name,
      definitions,
      calls: found.calls.map((call) => ({
        relation: call.relation,
        ...callItem(call, call.relation === "callee" ? "callees" : "callers"),
      })),
      also: found.also.filter(isServed).map(describeSymbol),
      left_out: found.cut,
      precision: found.precision,
      index: indexNote(context, repo, found, definitions.length === 0),
      ...noteOf(
        ...(definitions.length === 0 ? await unknownName(context, repo, args.query) : []),
        ...notesOn(found),
      ),
    };
  },
});

function notesOn({ cut, partial }: Explored): string[] {
  const left = [
    cut.definitions > 0 ? `${cut.definitions} definitions` : "",
    cut.calls > 0 ? `${cut.calls} calls` : "",
  ].filter(Boolean);
  return [
    left.length > 0
      ? `Left out by max_tokens: ${left.join(" and ")}. Raise it, or ask for less: one symbol, or a folder in path.`
      : "",
    partial ? "Not all callers were looked up: lower depth, or use call_hierarchy for one symbol." : "",
  ];
}

function text({ definitions, calls, also, precision }: Result): string {
  if (definitions.length === 0) return "No definitions.";
  const sources = definitions.flatMap(({ body, ...definition }) =>
    body === undefined
      ? placeLines(definition)
      : [
          `${definition.path}:${definition.line}: ${definition.kind} ${definition.name_path}`,
          ...numbered(body, definition),
        ],
  );
  const groups = RELATIONS.flatMap((relation) => {
    const group = calls.filter((call) => call.relation === relation);
    const lines = group.map((call) => {
      const shown = relation === "test" ? { ...call, level: 1 } : call;
      return callLine(shown, relation === "callee" ? "callees" : "callers");
    });
    return lines.length === 0 ? [`No ${relation}s.`] : [`${relation}s (${precision}):`, ...lines];
  });
  const others = also.map((place) => `  ${place}`);
  return [...sources, ...groups, ...(others.length > 0 ? ["also:", ...others] : [])].join("\n");
}

/** Source with line numbers, unless it is the outline of a class, which has its own. */
function numbered(body: string, { start_line }: { start_line: number }): string[] {
  const lines = body.split("\n");
  const isOutline = lines.some((line) => /^ {2}\d+-\d+: /.test(line));
  return lines.map((line, n) => (isOutline ? line : `${start_line + n}\t${line}`));
}
