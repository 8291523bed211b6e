import * as z from "zod";
import { ToolError } from "../tool-error.ts";
import { insidePath } from "../workspace/paths.ts";
import { noteOf, whyNoFiles } from "./answers/no-files.ts";
import { indexNote, page } from "./paging.ts";
import { folderArgument, indexOutput, pageArguments, pageOutput, repoArgument } from "./schema.ts";
import { defineTool } from "./tool.ts";

/** Largest number of results that can be paged through. */
const MAX_RESULTS = 200;

const input = z.object({
  query: z.string().min(1).max(2_000).describe("Question, or description of what the code does."),
  repo: repoArgument,
  path: folderArgument(),
  ...pageArguments(20, 100),
});

const output = z.object({
  repo: z.string(),
  results: z.array(
    z.object({
      path: z.string(),
      start_line: z.int(),
      end_line: z.int(),
      title: z.string().describe("Line that identifies the passage."),
      by: z.enum(["meaning", "words", "both"]).describe("Kind of match."),
    }),
  ),
  missing: z.int().describe("Number of passages without an embedding yet, found by words only."),
  index: indexOutput,
  ...pageOutput,
});

/** Offered only if an embedding service is configured; no other tool needs one. */
export const searchSemantic = defineTool({
  name: "search_semantic",
  title: "Search by meaning",
  description:
    "Finds code by meaning (embeddings combined with keyword search). For exact text or names use search_text or find_symbol.",
  scope: "code:read",
  needs: ["git", "index", "embeddings"],
  input,
  output,
  async run(args, context) {
    const { workspace, semantic, signal } = context;
    if (!semantic)
      throw new ToolError(
        "This server has no embedding service (EMBEDDINGS_URL). Use search_text or search.",
      );
    const repo = await workspace.find(args.repo);
    const { real: path } = await insidePath(repo, args.path);
    const limit = Math.min(MAX_RESULTS, args.offset + args.max_results + 1);
    const found = await semantic.query(repo, { query: args.query, path, limit }, signal);
    const served = await workspace.files(repo);
    const hits = found.hits.filter((hit) => served.has(hit.path));
    const { items, ...rest } = page(hits, args);
    const { missing } = semantic.progress(repo);
    const notes =
      hits.length > 0
        ? []
        : [
            await whyNoFiles({ repo, files: served, folder: path }, signal),
            "No passage fits. Use other words, or search_text for exact text.",
          ];
    return {
      repo: repo.name,
      results: items,
      missing,
      index: indexNote(context, repo, found, items.length === 0),
      ...rest,
      ...noteOf(...notes),
    };
  },
});
