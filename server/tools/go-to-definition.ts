import * as z from "zod";
import { KINDS } from "../index/languages.ts";
import { bareName, splitNamePath } from "../index/names.ts";
import { REASONS } from "../index/queries/definition.ts";
import { TreeReader } from "../index/work-tree.ts";
import { ToolError } from "../tool-error.ts";
import { servedFile } from "../workspace/served-file.ts";
import type { Repository } from "../workspace/workspace.ts";
import { noteOf } from "./answers/no-files.ts";
import { indexNote, page } from "./paging.ts";
import {
  fileArgument,
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
  repo: repoArgument,
  path: fileArgument,
  line: lineArgument("Line of the use, 1-based."),
  column: z
    .int()
    .min(1)
    .max(1_000_000)
    .optional()
    .describe("Column of the name, 1-based. Default: the first name on the line."),
  symbol: symbolArgument('Name on that line, or "Class.method", instead of a column.').optional(),
  ...pageArguments(10, 100),
});

const output = z.object({
  repo: z.string(),
  name: z.string(),
  definitions: z
    .array(
      z.object({
        path: z.string(),
        start_line: z.int(),
        line: z.int(),
        column: z.int(),
        end_line: z.int(),
        kind: z.enum(KINDS),
        name: z.string(),
        parent: z.string(),
        signature: z.string(),
        why: z.enum(REASONS).describe("Reason for this candidate."),
      }),
    )
    .describe("Best candidate first."),
  total: z.int(),
  precision: precisionOutput,
  external: z.string().optional().describe("Package that defines the name, if it is not in this repository."),
  index: indexOutput,
  ...pageOutput,
});

export const goToDefinition = defineTool({
  name: "go_to_definition",
  title: "Go to definition",
  description:
    "Finds the definition of the name at a position in a file. Precise where a compiler's index exists, else candidates, the likeliest first.",
  scope: "code:read",
  needs: ["git", "index"],
  input,
  output,
  async run(args, context) {
    const repo = await context.workspace.find(args.repo);
    const { real, given } = await servedFile(context.workspace, repo, args.path);
    const { line, column, symbol } = args;
    const job = { path: real, line, column, symbol };
    const found = await context.index.query("definition", repo, job, context);
    if (found.name === undefined)
      throw new ToolError(
        `There is no such name on line ${line} of ${JSON.stringify(given)}. ${await linesWith(context, repo, real, symbol)}`,
      );
    const { items, ...rest } = page(found.definitions, args);
    return {
      repo: repo.name,
      name: found.name,
      definitions: items,
      total: found.definitions.length,
      precision: found.precision,
      ...(found.external === undefined ? {} : { external: found.external }),
      index: indexNote(context, repo, found, found.definitions.length === 0),
      ...rest,
      ...noteOf(
        found.definitions.length === 0
          ? `${JSON.stringify(found.name)} is not defined in the index of this repository: it may come from a package, be a local variable, or be in a language without a grammar. Use search_text.`
          : "",
      ),
    };
  },
});

/** The lines that have the name, since models miscount them. */
async function linesWith(
  { signal }: ToolContext,
  repo: Repository,
  path: string,
  symbol = "",
): Promise<string> {
  const name = bareName(splitNamePath(symbol).name);
  const text = name === "" ? undefined : await new TreeReader(repo.root).read(path);
  signal.throwIfAborted();
  if (name !== "" && text === undefined)
    return "The file is larger than the index reads: use search_text for the name.";
  const lines = (text ?? "").split("\n").flatMap((line, n) => (line.includes(name) ? [n + 1] : []));
  return name === "" || lines.length === 0
    ? "Check the line with read_file."
    : `It is on line ${lines.slice(0, 10).join(", ")}.`;
}
