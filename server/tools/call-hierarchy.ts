import * as z from "zod";
import { splitNamePath } from "../index/names.ts";
import { DIRECTIONS, type Direction } from "../index/queries/call-tree.ts";
import type { Calls } from "../index/queries/calls.ts";
import { insidePath } from "../workspace/paths.ts";
import type { Repository } from "../workspace/workspace.ts";
import { callItem, callLine, callOutput, describeSymbol } from "./answers/calls.ts";
import { noteOf } from "./answers/no-files.ts";
import { unknownName } from "./answers/unknown-name.ts";
import { indexNote, page } from "./paging.ts";
import {
  indexOutput,
  lineArgument,
  pageArguments,
  pageOutput,
  precisionOutput,
  repoArgument,
  symbolArgument,
} from "./schema.ts";
import { defineTool, type ToolContext } from "./tool.ts";

const input = z.object({
  name: symbolArgument("Name, optionally qualified (Class.method)."),
  direction: z.enum(DIRECTIONS).default("callers").describe("callees: what it calls."),
  depth: z.int().min(1).max(5).default(2).describe("Levels."),
  defined_in: z.string().max(4096).optional().describe("File with the definition."),
  line: lineArgument("Line of the definition in that file.").optional(),
  repo: repoArgument,
  ...pageArguments(60, 500),
});

const output = z.object({
  repo: z.string(),
  direction: z.enum(DIRECTIONS),
  symbols: z.array(z.string()).describe("The definitions that the name means: path:line: kind name_path."),
  calls: z
    .array(z.object(callOutput))
    .describe("Below each entry, one level deeper, are its own callers or callees."),
  total: z.int(),
  partial: z.boolean().describe("True if not all calls were looked up; lower depth."),
  precision: precisionOutput,
  index: indexOutput,
  ...pageOutput,
});

/** Definitions of an ambiguous name that are followed and listed. */
const MAX_SYMBOLS = 5;

export const callHierarchy = defineTool({
  name: "call_hierarchy",
  title: "Callers and callees",
  description: "Finds what calls a function, method or class, or what it calls, over several levels.",
  scope: "code:read",
  needs: ["git", "index"],
  input,
  output,
  text: (result) => {
    const { symbols, calls, direction } = result;
    if (symbols.length === 0) return "No such symbol.";
    return [
      ...symbols,
      calls.length === 0 ? `No ${direction}.` : `${direction}:`,
      ...calls.map((call) => callLine(call, direction)),
    ].join("\n");
  },
  async run(args, context) {
    const repo = await context.workspace.find(args.repo);
    const home = args.defined_in ? (await insidePath(repo, args.defined_in)).real : undefined;
    const { direction, depth, line } = args;
    const job = { ...splitNamePath(args.name), defined_in: home, line, direction, depth };
    const found = await context.index.query("calls", repo, job, context);
    const { items, ...rest } = page(
      found.calls.map((call) => callItem(call, direction)),
      args,
      found.beyond > 0,
    );
    return {
      repo: repo.name,
      direction,
      symbols: found.symbols.slice(0, MAX_SYMBOLS).map(describeSymbol),
      calls: items,
      total: found.calls.length + found.beyond,
      partial: found.partial,
      precision: found.precision,
      index: indexNote(context, repo, found, found.calls.length === 0),
      ...rest,
      ...noteOf(...(await notesOn(found, args, context, repo))),
    };
  },
});

async function notesOn(
  { symbols, calls }: Calls,
  { name, direction }: { name: string; direction: Direction },
  context: ToolContext,
  repo: Repository,
): Promise<string[]> {
  if (symbols.length === 0) return unknownName(context, repo, name);
  const notes: string[] = [];
  if (symbols.length > 1)
    notes.push(
      `${JSON.stringify(name)} has ${symbols.length} definitions, and these are the ${direction} of ${symbols.length > MAX_SYMBOLS ? `the first ${MAX_SYMBOLS}` : "all"}. Choose one with defined_in and line.`,
    );
  if (calls.length === 0)
    notes.push(
      direction === "callers"
        ? "Calls by reflection, from templates and by a framework are not found; search_text finds the name in strings."
        : "Calls of packages and of unknown receivers are not listed. Read the code with find_symbol and include_body.",
    );
  return notes;
}
