import * as z from "zod";
import { insidePath } from "../workspace/paths.ts";
import { noteOf } from "./answers/no-files.ts";
import { whyNoSymbols } from "./answers/no-symbols.ts";
import { indexNote } from "./paging.ts";
import { folderArgument, indexOutput, maxAnswerChars, repoArgument } from "./schema.ts";
import { defineTool } from "./tool.ts";

/** Estimated length of a token of code, characters. */
const CHARS_PER_TOKEN = 3;

const input = z.object({
  repo: repoArgument,
  path: folderArgument(),
  max_tokens: z
    .int()
    .min(100)
    .max(20_000)
    .default(2_000)
    .describe("Maximum size of the map in tokens of 3 characters."),
  max_answer_chars: maxAnswerChars.default(60_000),
});

const output = z.object({
  repo: z.string(),
  map: z
    .string()
    .describe(
      'Per file "path:", then lines "  line: signature  (n files)"; n is the number of other files with the name.',
    ),
  files: z.int(),
  symbols: z.int(),
  of: z.int().describe("Number of symbols that the map was chosen from."),
  index: indexOutput,
});

const UNFINISHED =
  "The uses of some names are not counted yet, since the time was over. Call again for a better map.";

export const repoMap = defineTool({
  name: "repo_map",
  title: "Repository map",
  description:
    "Lists the most referenced symbols of a repository or folder within a token budget: an overview of unfamiliar code.",
  scope: "code:read",
  needs: ["git", "index"],
  input,
  output,
  text: ({ map, files, symbols, of }) => `${map}\n(${symbols} of ${of} symbols, in ${files} files)`,
  async run(args, context) {
    const repo = await context.workspace.find(args.repo);
    const { real: folder } = await insidePath(repo, args.path);
    const budget = Math.min(args.max_tokens * CHARS_PER_TOKEN, args.max_answer_chars);
    const found = await context.index.query("repoMap", repo, { path: folder, budget }, context);
    const { map, files, symbols, of } = found;
    const why =
      symbols === 0 ? whyNoSymbols(await context.workspace.files(repo), folder, found.left_out.files) : "";
    return {
      repo: repo.name,
      map,
      files,
      symbols,
      of,
      index: indexNote(context, repo, found, symbols === 0),
      ...noteOf(why, found.isComplete ? undefined : UNFINISHED),
    };
  },
});
