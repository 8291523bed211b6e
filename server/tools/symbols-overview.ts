import * as z from "zod";
import { KINDS } from "../index/languages.ts";
import { namePath } from "../index/queries/symbol-rows.ts";
import { insidePath } from "../workspace/paths.ts";
import { noteOf } from "./answers/no-files.ts";
import { whyNoSymbols } from "./answers/no-symbols.ts";
import { indexNote, pageFrom } from "./paging.ts";
import { folderArgument, indexOutput, pageArguments, pageOutput, repoArgument } from "./schema.ts";
import { defineTool } from "./tool.ts";

const input = z.object({
  repo: repoArgument,
  path: folderArgument(),
  depth: z
    .int()
    .min(1)
    .max(10)
    .default(2)
    .describe("Nesting depth: 1 for top-level symbols, 2 for their members too."),
  ...pageArguments(300, 2_000),
});

const output = z.object({
  repo: z.string(),
  files: z.array(
    z.object({
      path: z.string(),
      symbols: z.array(
        z.object({
          name_path: z.string().describe('Qualified name: "Class/method".'),
          kind: z.enum(KINDS),
          line: z.int(),
          end_line: z.int(),
          signature: z.string(),
        }),
      ),
    }),
  ),
  total: z.int().describe("Number of symbols."),
  index: indexOutput,
  ...pageOutput,
});

export const symbolsOverview = defineTool({
  name: "symbols_overview",
  title: "Symbols overview",
  description:
    "Lists the definitions in a file or folder (classes, functions, types) with lines and signatures. Use it before read_file.",
  scope: "code:read",
  needs: ["git", "index"],
  input,
  output,
  async run(args, context) {
    const repo = await context.workspace.find(args.repo);
    const { real: folder } = await insidePath(repo, args.path);
    const { depth, offset, max_results } = args;
    const job = { path: folder, depth, offset, limit: max_results };
    const found = await context.index.query("overview", repo, job, context);
    const rows = found.symbols.map(({ path, parent, name, kind, line, end_line, signature }) => ({
      path,
      symbol: { name_path: namePath({ parent, name }), kind, line, end_line, signature },
    }));
    const { items, ...rest } = pageFrom(rows, args, offset + rows.length < found.total);
    const files = [...Map.groupBy(items, (row) => row.path)].map(([path, list]) => ({
      path,
      symbols: list.map((row) => row.symbol),
    }));
    const why =
      found.total === 0
        ? whyNoSymbols(await context.workspace.files(repo), folder, found.left_out.files)
        : "";
    return {
      repo: repo.name,
      files,
      total: found.total,
      index: indexNote(context, repo, found, found.total === 0),
      ...rest,
      ...noteOf(why),
    };
  },
});
