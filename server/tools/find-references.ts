import * as z from "zod";
import { bareName, splitNamePath } from "../index/names.ts";
import { ROLES } from "../index/occurrences.ts";
import { ToolError } from "../tool-error.ts";
import { insidePath } from "../workspace/paths.ts";
import type { Repository } from "../workspace/workspace.ts";
import { noteOf } from "./answers/no-files.ts";
import { unknownName } from "./answers/unknown-name.ts";
import { indexNote, pageFrom } from "./paging.ts";
import {
  folderArgument,
  indexOutput,
  lineArgument,
  pageArguments,
  pageOutput,
  precisionOutput,
  repoArgument,
  symbolArgument,
} from "./schema.ts";
import { defineTool, type ToolContext } from "./tool.ts";

const input = z.object({
  name: symbolArgument(
    "Name, optionally qualified (Class.method). In a lexical answer the qualifiers only rank.",
  ),
  defined_in: z.string().max(4096).optional().describe("File with the definition."),
  line: lineArgument("Line of the definition in that file.").optional(),
  include_definitions: z.boolean().default(false).describe("Include the definitions."),
  repo: repoArgument,
  path: folderArgument(),
  ...pageArguments(100, 1_000),
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
        .describe("text: the language has no grammar here, so comments and strings are included."),
      text: z.string(),
      within: z.string().describe('Enclosing definition; "" at the top level of the file.'),
    }),
  ),
  total: z.int(),
  files: z.int().describe("Number of files with the name."),
  partial: z.boolean().describe("True if not all of these files were read; narrow the search by path."),
  precision: precisionOutput,
  lexical_files: z.array(z.string()).optional().describe("In a mixed answer: files with lexical results."),
  index: indexOutput,
  ...pageOutput,
});

export const findReferences = defineTool({
  name: "find_references",
  title: "Find references",
  description:
    "Finds the uses of a symbol, without comments and strings. Precise where a compiler's index exists, else lexical: see precision. The nearest files first, tests last.",
  scope: "code:read",
  needs: ["git", "index"],
  input,
  output,
  async run(args, context) {
    const repo = await context.workspace.find(args.repo);
    const { real: folder } = await insidePath(repo, args.path);
    const home = args.defined_in ? (await insidePath(repo, args.defined_in)).real : undefined;
    const { name, parents } = splitNamePath(args.name);
    const bare = bareName(name);
    if (!/[\p{L}_$]/u.test(bare) || (/\s/.test(bare) && !bare.startsWith("operator ")))
      throw new ToolError(`${JSON.stringify(name)} is not an identifier. Use search_text.`);
    const job = {
      name,
      parents,
      path: folder,
      defined_in: home,
      line: args.line,
      include_definitions: args.include_definitions,
      page: { offset: args.offset, count: args.max_results },
    };
    const found = await context.index.query("references", repo, job, context);
    const more = args.offset + found.references.length < found.total;
    const { items, ...rest } = pageFrom(found.references, args, more);
    const notes = found.total === 0 ? await whyNoReferences(context, repo, args.name, folder) : [];
    return {
      repo: repo.name,
      references: items,
      total: found.total,
      files: found.files,
      partial: found.partial,
      precision: found.precision,
      ...(found.lexical_files.length > 0 ? { lexical_files: found.lexical_files } : {}),
      index: indexNote(context, repo, found, found.total === 0),
      ...rest,
      ...noteOf(...notes),
    };
  },
});

async function whyNoReferences(context: ToolContext, repo: Repository, name: string, folder: string) {
  const job = { name, match: "exact", kinds: [], path: "" } as const;
  const { symbols } = await context.index.query("findSymbol", repo, job, context);
  if (symbols.length === 0) return unknownName(context, repo, name);
  const places = symbols.slice(0, 3).map(({ path, line }) => `${path}:${line}`);
  return [
    `It is defined at ${places.join(", ")}, and not used${folder === "" ? "" : ` in ${JSON.stringify(folder)}`}.`,
    "Uses in strings, such as by reflection or in templates, are found by search_text.",
  ];
}
