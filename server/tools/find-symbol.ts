import * as z from "zod";
import { beginning, sizeOfText } from "../answer-size.ts";
import { KINDS } from "../index/languages.ts";
import type { FoundSymbols } from "../index/queries/find-symbol.ts";
import { type FoundSymbol, namePath } from "../index/queries/symbol-rows.ts";
import { TreeReader } from "../index/work-tree.ts";
import { insidePath } from "../workspace/paths.ts";
import type { Repository } from "../workspace/workspace.ts";
import { describeSymbol } from "./answers/calls.ts";
import { noteOf } from "./answers/no-files.ts";
import { indexNote, pageFrom } from "./paging.ts";
import {
  folderArgument,
  indexOutput,
  pageArguments,
  pageOutput,
  repoArgument,
  symbolArgument,
} from "./schema.ts";
import { defineTool, type ToolContext } from "./tool.ts";

const input = z.object({
  name: symbolArgument('Name, optionally qualified: "Class.method", "pkg.Class.method", "file.ts/Class".'),
  match: z
    .enum(["exact", "prefix", "substring"])
    .default("exact")
    .describe("How the last part is compared; case-insensitive."),
  kinds: z
    .array(z.enum(KINDS))
    .max(KINDS.length)
    .default([])
    .describe("Only these kinds of symbols. Default: all."),
  repo: repoArgument,
  path: folderArgument(),
  include_body: z.boolean().default(false).describe("Include the source of each symbol."),
  ...pageArguments(50, 500),
});

const output = z.object({
  repo: z.string(),
  symbols: z.array(
    z.object({
      path: z.string(),
      name_path: z.string(),
      kind: z.enum(KINDS),
      start_line: z.int().describe("First line, with documentation comment and decorators."),
      line: z.int().describe("Line of the name."),
      column: z.int(),
      end_line: z.int(),
      signature: z.string(),
      body: z.string().optional(),
    }),
  ),
  total: z.int(),
  partial: z
    .boolean()
    .describe("True if only the 2,000 best matches can be paged through; narrow the search."),
  note: z.string().optional(),
  index: indexOutput,
  ...pageOutput,
});

export const findSymbol = defineTool({
  name: "find_symbol",
  title: "Find a symbol",
  description:
    "Finds the definitions of a class, function, method, type or other symbol by name, in 40 languages, best match first.",
  scope: "code:read",
  needs: ["git", "index"],
  input,
  output,
  async run(args, context) {
    const repo = await context.workspace.find(args.repo);
    const { real: folder } = await insidePath(repo, args.path);
    const job = { ...patternOf(args.name, args.match), kinds: args.kinds, path: folder };
    const found = await context.index.query("findSymbol", repo, job, context);
    const chosen = found.symbols.slice(args.offset, args.offset + args.max_results);
    const shaped = chosen.map(({ parent, name, ...rest }) => ({
      ...rest,
      name_path: namePath({ parent, name }),
    }));
    const isNarrowed = args.kinds.length > 0 || folder !== "";
    const elsewhere =
      chosen.length === 0 && isNarrowed
        ? (await context.index.query("findSymbol", repo, { ...job, kinds: [], path: "" }, context)).symbols
        : [];
    const rows = args.include_body ? await bodies(context, repo, shaped, args.max_answer_chars) : shaped;
    const more = args.offset + chosen.length < found.symbols.length;
    const { items, ...rest } = pageFrom(rows, args, more);
    return {
      repo: repo.name,
      symbols: items,
      total: found.total,
      partial: found.total > found.symbols.length,
      ...noteOf(
        noteOn(found, args.name, isNarrowed, elsewhere),
        args.include_body && items.some(isCut)
          ? "Sources are cut or left out: read_file with start_line and end_line shows them."
          : "",
      ),
      index: indexNote(context, repo, found, found.total === 0),
      ...rest,
    };
  },
});

/** `acc*` and `*acc*` as a prefix and a part. */
function patternOf(name: string, match: z.output<typeof input>["match"]) {
  const [, before = "", bare, after = ""] = /^(\*?)([\p{L}\p{N}_$.:/#]+)(\*?)$/u.exec(name) ?? [];
  if (match !== "exact" || bare === undefined || before + after === "") return { name, match };
  return { name: bare, match: before === "" ? ("prefix" as const) : ("substring" as const) };
}

/** Whether the source of a symbol is missing or not whole. */
const isCut = (symbol: object) => !("body" in symbol) || String(symbol.body).endsWith("…");

/**
 * A note for a result that does not quite match the question.
 *
 * @param isNarrowed whether kinds or a folder were asked for @param elsewhere what there is without them
 */
function noteOn(
  { symbols, unfit, near }: FoundSymbols,
  asked: string,
  isNarrowed: boolean,
  elsewhere: readonly FoundSymbol[],
): string {
  if (symbols.length > 0)
    return unfit.length === 0
      ? ""
      : `Nothing with that name is in ${JSON.stringify(unfit.join("/"))}. These are the definitions elsewhere.`;
  const named = JSON.stringify(asked);
  if (elsewhere.length > 0)
    return `With these kinds and in this folder nothing is named ${named}. Without them: ${elsewhere.slice(0, 3).map(describeSymbol).join(", ")}.`;
  const like = near.length > 0 ? ` Similar names: ${near.join(", ")}.` : "";
  return `No definition${isNarrowed ? " with these kinds and in this folder" : ""} is named ${named}.${like} Local variables, and languages without a grammar here, are not indexed: use search_text.`;
}

/** Longest source of one symbol, characters. */
const MAX_BODY = 12_000;

/** Adds the source of each symbol, read from the work tree, up to `maxChars` in all. A file that is no longer served gives none. */
async function bodies<T extends { path: string; start_line: number; end_line: number; signature: string }>(
  { workspace, signal, progress }: ToolContext,
  repo: Repository,
  symbols: readonly T[],
  maxChars: number,
): Promise<(T & { body?: string })[]> {
  const reader = new TreeReader(repo.root);
  const served = await workspace.files(repo);
  let left = maxChars;
  const done: (T & { body?: string })[] = [];
  for (const symbol of symbols) {
    signal.throwIfAborted();
    progress?.(done.length, symbols.length, `reading ${symbol.path}`);
    const text = left > 0 && served.has(symbol.path) ? await reader.read(symbol.path) : undefined;
    if (text === undefined) {
      done.push(symbol);
      continue;
    }
    const whole = text
      .split("\n")
      .slice(symbol.start_line - 1, symbol.end_line)
      .join("\n");
    const kept = beginning(whole, MAX_BODY);
    const body = kept === whole ? whole : `${kept}…`;
    left -= sizeOfText(body);
    done.push({ ...symbol, body });
  }
  return done;
}
