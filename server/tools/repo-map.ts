import * as z from "zod";
import { insidePath } from "../workspace/paths.ts";
import { indexNote } from "./paging.ts";
import { folderArgument, indexOutput, maxAnswerChars, repoArgument } from "./schema.ts";
import { defineTool } from "./tool.ts";

/** What a token of code is taken for, characters. */
const CHARS_A_TOKEN = 3;

const input = z.object({
  repo: repoArgument,
  path: folderArgument,
  max_tokens: z
    .int()
    .min(100)
    .max(20_000)
    .default(2_000)
    .describe("How long the map may be, tokens (three characters each)."),
  max_answer_chars: maxAnswerChars.default(60_000),
});

const output = z.object({
  repo: z.string(),
  map: z
    .string()
    .describe(
      'For each file "path:", then "  line: signature  (n files)": how many other files hold the name.',
    ),
  files: z.int(),
  symbols: z.int(),
  of: z.int().describe("Symbols that there are."),
  index: indexOutput,
});

export const repoMap = defineTool({
  name: "repo_map",
  title: "Map of a repository",
  description:
    "Gives the most referenced symbols of a repository or folder, file by file, within a budget of tokens: a first look at unknown code.",
  scope: "code:read",
  needs: ["git", "index"],
  input,
  output,
  async run({ repo: name, path, max_tokens, max_answer_chars }, context) {
    const repo = await context.workspace.find(name);
    const folder = path === "" ? "" : (await insidePath(repo, path)).real;
    const budget = Math.min(max_tokens * CHARS_A_TOKEN, max_answer_chars);
    const found = await context.index.query("repoMap", repo, { path: folder, budget }, context.signal);
    const { map, files, symbols, of } = found;
    return { repo: repo.name, map, files, symbols, of, index: indexNote(context, repo, found) };
  },
});
