import * as z from "zod";
import { KINDS } from "../index/languages.ts";
import { insidePath } from "../workspace/paths.ts";
import { fitting, indexNote } from "./paging.ts";
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

const input = z.object({
  repo: repoArgument,
  path: folderArgument,
  depth: z.int().min(1).max(10).default(2).describe("1: top-level symbols; 2: their members too; and so on."),
  offset: offsetArgument,
  max_results: maxResults(300, 2_000),
  max_answer_chars: maxAnswerChars,
});

const output = z.object({
  repo: z.string(),
  files: z.array(
    z.object({
      path: z.string(),
      symbols: z.array(
        z.object({
          name_path: z.string().describe('Name with what it lies in: "Class/method".'),
          kind: z.enum(KINDS),
          line: z.int(),
          end_line: z.int(),
          signature: z.string(),
        }),
      ),
    }),
  ),
  total: z.int().describe("Symbols in all."),
  index: indexOutput,
  ...pageOutput,
});

export const symbolsOverview = defineTool({
  name: "symbols_overview",
  title: "Overview of symbols",
  description:
    "Lists the classes, functions, types and other definitions of a file or folder with their lines and signatures: what to read before reading it.",
  scope: "code:read",
  needs: ["git", "index"],
  input,
  output,
  async run({ repo: name, path, depth, offset, max_results, max_answer_chars }, context) {
    const repo = await context.workspace.find(name);
    const folder = path === "" ? "" : (await insidePath(repo, path)).real;
    const job = { path: folder, depth, offset, limit: max_results };
    const found = await context.index.query("overview", repo, job, context.signal);
    const rows = found.symbols.map(({ path, parent, name, kind, line, end_line, signature }) => ({
      path,
      symbol: { name_path: parent === "" ? name : `${parent}/${name}`, kind, line, end_line, signature },
    }));
    const kept = fitting(rows, max_answer_chars);
    const end = offset + kept.length;
    const files = [...Map.groupBy(kept, (row) => row.path)].map(([path, list]) => ({
      path,
      symbols: list.map((row) => row.symbol),
    }));
    const truncated = end < found.total;
    return {
      repo: repo.name,
      files,
      total: found.total,
      index: indexNote(context, repo, found),
      truncated,
      next_offset: truncated && kept.length > 0 ? end : null,
    };
  },
});
