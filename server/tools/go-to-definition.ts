import * as z from "zod";
import { KINDS } from "../index/languages.ts";
import { REASONS } from "../index/queries/definition.ts";
import { ToolError } from "../tool-error.ts";
import { insidePath } from "../workspace/paths.ts";
import { indexNote, page } from "./paging.ts";
import {
  fileArgument,
  indexOutput,
  maxAnswerChars,
  maxResults,
  offsetArgument,
  pageOutput,
  repoArgument,
  symbolArgument,
} from "./schema.ts";
import { defineTool } from "./tool.ts";

const input = z.object({
  repo: repoArgument,
  path: fileArgument,
  line: z.int().min(1).max(10_000_000).describe("Line of the use, counted from 1."),
  column: z
    .int()
    .min(1)
    .max(1_000_000)
    .optional()
    .describe("Column of the name, counted from 1. Default: the line's first name."),
  symbol: symbolArgument('The name itself, or "Class.method", instead of its column.').optional(),
  offset: offsetArgument,
  max_results: maxResults(10, 100),
  max_answer_chars: maxAnswerChars,
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
        why: z.enum(REASONS).describe("What speaks for it."),
      }),
    )
    .describe("The likeliest first."),
  total: z.int(),
  index: indexOutput,
  ...pageOutput,
});

export const goToDefinition = defineTool({
  name: "go_to_definition",
  title: "Go to definition",
  description:
    "Finds where the name at a place of a file is defined. Lexical, not by a compiler: candidates are ranked by enclosing scope, imports, file, folder and language, and say why they were chosen.",
  scope: "code:read",
  needs: ["git", "index"],
  input,
  output,
  async run(args, context) {
    const repo = await context.workspace.find(args.repo);
    const { real, given } = await insidePath(repo, args.path);
    if (!(await context.workspace.shows(repo, real)))
      throw new ToolError(`${JSON.stringify(given)} is no file of repository ${repo.name} that git knows.`);
    const { line, column, symbol } = args;
    const found = await context.index.query(
      "definition",
      repo,
      { path: real, line, column, symbol },
      context.signal,
    );
    if (found.name === undefined)
      throw new ToolError(
        `There is no such name on line ${line} of ${JSON.stringify(given)}; read it with read_file.`,
      );
    const { items, ...rest } = page(found.definitions, args.offset, args.max_results, args.max_answer_chars);
    return {
      repo: repo.name,
      name: found.name,
      definitions: items,
      total: found.definitions.length,
      index: indexNote(context, repo, found),
      ...rest,
    };
  },
});
