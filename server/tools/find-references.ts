import * as z from "zod";
import { bareName, splitNamePath } from "../index/names.ts";
import { ROLES } from "../index/occurrences.ts";
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
  symbolArgument,
} from "./schema.ts";
import { defineTool } from "./tool.ts";

const input = z.object({
  name: symbolArgument(
    "Name or path of names; every use of the last name counts, what is before it only ranks.",
  ),
  defined_in: z
    .string()
    .max(4096)
    .optional()
    .describe("File that defines it, when several do: what is near to this one comes first."),
  include_definitions: z.boolean().default(false).describe("List the definitions themselves too."),
  repo: repoArgument,
  path: folderArgument,
  offset: offsetArgument,
  max_results: maxResults(100, 1_000),
  max_answer_chars: maxAnswerChars,
});

const output = z.object({
  repo: z.string(),
  references: z.array(
    z.object({
      path: z.string(),
      line: z.int(),
      column: z.int(),
      role: z
        .enum(ROLES)
        .describe("How the name is used; text: no grammar of the language, so comments count too."),
      text: z.string(),
      within: z.string().describe('The definition that it lies in, "" at the top of the file.'),
    }),
  ),
  total: z.int(),
  files: z.int().describe("Files that hold the name."),
  partial: z.boolean().describe("True when there are too many files to read them all; narrow it by path."),
  index: indexOutput,
  ...pageOutput,
});

export const findReferences = defineTool({
  name: "find_references",
  title: "Find references",
  description:
    "Finds where a symbol is used, leaving out comments and strings. Lexical, not by a compiler: every identifier of that name counts, ranked by the file of the definition, the files that import it, its folder, the rest, tests last.",
  scope: "code:read",
  needs: ["git", "index"],
  input,
  output,
  async run(args, context) {
    const repo = await context.workspace.find(args.repo);
    const folder = args.path === "" ? "" : (await insidePath(repo, args.path)).real;
    const home = args.defined_in ? (await insidePath(repo, args.defined_in)).real : undefined;
    const { name, parents } = splitNamePath(args.name);
    const bare = bareName(name);
    if (!/[\p{L}_$]/u.test(bare) || (/\s/.test(bare) && !bare.startsWith("operator ")))
      throw new ToolError(`${JSON.stringify(name)} is no identifier; use search_text.`);
    const job = {
      name,
      parents,
      path: folder,
      defined_in: home,
      include_definitions: args.include_definitions,
    };
    const found = await context.index.query("references", repo, job, context.signal);
    const { items, ...rest } = page(found.references, args.offset, args.max_results, args.max_answer_chars);
    return {
      repo: repo.name,
      references: items,
      total: found.references.length,
      files: found.files,
      partial: found.partial,
      index: indexNote(context, repo, found),
      ...rest,
    };
  },
});
