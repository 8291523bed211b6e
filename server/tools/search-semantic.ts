import * as z from "zod";
import { ToolError } from "../tool-error.ts";
import { insidePath } from "../workspace/paths.ts";
import { indexNote, page } from "./paging.ts";
import {
  folderArgument,
  indexOutput,
  maxAnswerChars,
  maxResults,
  offsetArgument,
  pageOutput,
  repoArgument,
} from "./schema.ts";
import { defineTool } from "./tool.ts";

/** Places that can be paged through. */
const MAX_PLACES = 200;

const input = z.object({
  query: z.string().min(1).max(2_000).describe("What the code does, in words: a question or a description."),
  repo: repoArgument,
  path: folderArgument,
  offset: offsetArgument,
  max_results: maxResults(20, 100),
  max_answer_chars: maxAnswerChars,
});

const output = z.object({
  repo: z.string(),
  results: z.array(
    z.object({
      path: z.string(),
      start_line: z.int(),
      end_line: z.int(),
      title: z.string().describe("A line of the place that says what it is."),
      by: z.enum(["meaning", "words", "both"]).describe("What found it."),
    }),
  ),
  missing: z
    .int()
    .describe("Pieces of the repository that have no vector yet: they are found by words alone."),
  index: indexOutput,
  ...pageOutput,
});

/** Offered only with an embedding service: every other tool works without one. */
export const searchSemantic = defineTool({
  name: "search_semantic",
  title: "Search by meaning",
  description:
    "Finds code by what it does rather than by its words: the nearest pieces by an embedding model, merged with the best by words. For exact text or names use search_text or find_symbol.",
  scope: "code:read",
  needs: ["git", "index", "embeddings"],
  input,
  output,
  async run(args, context) {
    const { workspace, semantic, signal } = context;
    if (!semantic) throw new ToolError("This server has no embedding service; use search_text or search.");
    const repo = await workspace.find(args.repo);
    const path = args.path === "" ? "" : (await insidePath(repo, args.path)).real;
    const limit = Math.min(MAX_PLACES, args.offset + args.max_results + 1);
    const found = await semantic.query(repo, { query: args.query, path, limit }, signal);
    const shown = await workspace.files(repo);
    const hits = found.hits.filter((hit) => shown.has(hit.path));
    const { items, ...rest } = page(hits, args.offset, args.max_results, args.max_answer_chars);
    const { missing } = semantic.progress(repo);
    return { repo: repo.name, results: items, missing, index: indexNote(context, repo, found), ...rest };
  },
});
