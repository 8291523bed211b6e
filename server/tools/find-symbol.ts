import * as z from "zod";
import { KINDS } from "../index/languages.ts";
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
  name: symbolArgument('Name, or a path of names such as "Class/method" or "Class.method".'),
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
      line: z.int(),
      column: z.int(),
      end_line: z.int(),
      signature: z.string(),
      body: z.string().optional(),
    }),
  ),
  total: z.int(),
  index: indexOutput,
  ...pageOutput,
});

export const findSymbol = defineTool({
  name: "find_symbol",
  title: "Find a symbol",
  description:
    "Finds where a class, function, method, type or other symbol is defined, by its name, in any of 14 languages; the likeliest first.",
  capability: "code:read",
  needs: ["git", "index"],
  input,
  output,
  async run(args, context) {
    const repo = await context.workspace.find(args.repo);
    const folder = args.path === "" ? "" : (await insidePath(repo, args.path)).real;
    const { name, parents } = splitNamePath(args.name);
    const job = { name, parents, match: args.match, kinds: args.kinds, path: folder };
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
      total: found.symbols.length,
      index: indexNote(context, repo, found),
      truncated,
      next_offset: next_offset === null ? null : args.offset + next_offset,
    };
  },
});

/** "a/B.c", "a::B#c" -> ["a", "B"] and "c". Operators and odd names are taken whole. */
export function splitNamePath(text: string): { name: string; parents: string[] } {
  const parts = /^[\s./:#]*$/.test(text) ? [text] : text.split(/::|[/.#]/).filter((part) => part !== "");
  return { name: parts.at(-1) ?? text, parents: parts.slice(0, -1) };
}
