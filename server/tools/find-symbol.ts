import * as z from "zod";
import { KINDS } from "../index/languages.ts";
import type { FoundSymbols } from "../index/queries/find-symbol.ts";
import { insidePath } from "../workspace/paths.ts";
import { bodies } from "./bodies.ts";
import { indexNote, page } from "./paging.ts";
import {
  folderArgument,
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
  name: symbolArgument(
    'Name, or a path of names such as "Class/method", "pkg.Class.method" or "file.ts/Class".',
  ),
  match: z
    .enum(["exact", "prefix", "substring"])
    .default("exact")
    .describe("How the last name is compared; never by case."),
  kinds: z.array(z.enum(KINDS)).max(KINDS.length).default([]).describe("Only these kinds. Default: all."),
  repo: repoArgument,
  path: folderArgument,
  include_body: z.boolean().default(false).describe("Give the source of each symbol too."),
  offset: offsetArgument,
  max_results: maxResults(50, 500),
  max_answer_chars: maxAnswerChars,
});

const output = z.object({
  repo: z.string(),
  symbols: z.array(
    z.object({
      path: z.string(),
      name_path: z.string(),
      kind: z.enum(KINDS),
      start_line: z.int().describe("Where its comment, decorators or type begin; line is the name's."),
      line: z.int(),
      column: z.int(),
      end_line: z.int(),
      signature: z.string(),
      body: z.string().optional(),
    }),
  ),
  total: z.int(),
  partial: z
    .boolean()
    .describe("True when only the likeliest 2,000 of total can be paged through; narrow it."),
  note: z.string().optional(),
  index: indexOutput,
  ...pageOutput,
});

export const findSymbol = defineTool({
  name: "find_symbol",
  title: "Find a symbol",
  description:
    "Finds where a class, function, method, type or other symbol is defined, by its name, in any of 15 languages; the likeliest first.",
  scope: "code:read",
  needs: ["git", "index"],
  input,
  output,
  async run(args, context) {
    const repo = await context.workspace.find(args.repo);
    const folder = args.path === "" ? "" : (await insidePath(repo, args.path)).real;
    const job = { name: args.name, match: args.match, kinds: args.kinds, path: folder };
    const found = await context.index.query("findSymbol", repo, job, context.signal);
    const chosen = found.symbols.slice(args.offset, args.offset + args.max_results);
    const shaped = chosen.map(({ parent, name, ...rest }) => ({
      ...rest,
      name_path: parent === "" ? name : `${parent}/${name}`,
    }));
    const rows = args.include_body ? await bodies(context, repo, shaped, args.max_answer_chars) : shaped;
    const { items, truncated, next_offset } = page(
      rows,
      0,
      args.max_results,
      args.max_answer_chars,
      args.offset + chosen.length < found.symbols.length,
    );
    return {
      repo: repo.name,
      symbols: items,
      total: found.total,
      partial: found.total > found.symbols.length,
      ...noteOn(found, args.name),
      index: indexNote(context, repo, found),
      truncated,
      next_offset: next_offset === null ? null : args.offset + next_offset,
    };
  },
});

/** What is to be said of an answer that is not quite to the question. */
function noteOn({ symbols, unfit, near }: FoundSymbols, asked: string): { note?: string } {
  if (symbols.length > 0)
    return unfit.length === 0
      ? {}
      : {
          note: `Nothing of that name was found in ${JSON.stringify(unfit.join("/"))}; these are named so elsewhere.`,
        };
  const like = near.length > 0 ? ` Similar names: ${near.join(", ")}.` : "";
  return {
    note: `No definition is named ${JSON.stringify(asked)} with these kinds and in this folder.${like} Local variables, and languages that have no grammar here, are not indexed: try search_text.`,
  };
}
