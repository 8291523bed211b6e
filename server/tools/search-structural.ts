import * as z from "zod";
import { languageFiles, STRUCTURAL_LANGUAGES, type StructuralLanguage } from "../index/structural.ts";
import { sharedListing } from "../index/text/shared-listing.ts";
import { insidePath, isBelow } from "../workspace/paths.ts";
import type { Repository } from "../workspace/workspace.ts";
import { noteOf, whyNoFiles } from "./answers/no-files.ts";
import { page } from "./paging.ts";
import { folderArgument, pageArguments, pageOutput, repoArgument } from "./schema.ts";
import { defineTool } from "./tool.ts";

const pattern = (text: string) => z.string().min(1).max(2_000).describe(text);

const input = z.object({
  pattern: pattern(
    'ast-grep pattern: code in which $NAME matches one node, $$$NAME any number of nodes and $_ one node without capturing it, such as "await $CALL($$$ARGS)".',
  ),
  language: z.enum(STRUCTURAL_LANGUAGES).describe("Language of the pattern and the files."),
  inside: pattern(
    'Only matches inside code that matches this pattern, such as "function main($$$) { $$$ }".',
  ).optional(),
  repo: repoArgument,
  path: folderArgument(),
  ...pageArguments(50, 500),
});

const output = z.object({
  repo: z.string(),
  matches: z.array(
    z.object({
      path: z.string(),
      line: z.int(),
      column: z.int(),
      end_line: z.int(),
      text: z.string().describe("Matched code; cut if long."),
      captures: z.record(z.string(), z.string()).describe("Code captured by each metavariable."),
    }),
  ),
  timed_out: z.boolean().describe("True if not all files were searched in time; narrow the search by path."),
  ...pageOutput,
});

export const searchStructural = defineTool({
  name: "search_structural",
  title: "Search code by structure",
  description:
    "Finds code by syntax with an ast-grep pattern, independent of formatting and comments. Supports TypeScript, TSX, JavaScript, HTML, CSS and Python. For plain text use search_text.",
  scope: "code:read",
  needs: ["git", "structural"],
  input,
  output,
  async run(args, { workspace, index, signal, progress }) {
    const repo = await workspace.find(args.repo);
    const { real: folder } = await insidePath(repo, args.path);
    const listed = await workspace.files(repo);
    const max = Math.min(args.offset + args.max_results, 10_000);
    const { pattern, inside, language } = args;
    const job = { pattern, inside, language, folder, listing: sharedListing(listed), max };
    const found = await index.structural(repo, job, { signal, progress });
    const { items, ...rest } = page(found.matches, args, found.more);
    const notes: string[] = [];
    if (items.length === 0) {
      const files = [...listed].filter((file) => isBelow(file, folder));
      notes.push(await whyNoStructure(repo, files, folder, language, signal));
    }
    if (found.broken && items.length === 0)
      notes.push(
        `The pattern is not complete ${language}. Close its brackets, or use a larger piece of code.`,
      );
    const { left_out } = found;
    const others = left_out.length > 5 ? ` and ${left_out.length - 5} more` : "";
    if (left_out.length > 0) notes.push(`Skipped: ${left_out.slice(0, 5).join(", ")}${others}.`);
    return {
      repo: repo.name,
      matches: items,
      ...noteOf(...notes),
      timed_out: found.timed_out,
      ...rest,
    };
  },
});

/** The files that were not searched because they are in another language. */
async function whyNoStructure(
  repo: Repository,
  files: readonly string[],
  folder: string,
  language: StructuralLanguage,
  signal: AbortSignal,
): Promise<string> {
  const none = await whyNoFiles({ repo, files, folder }, signal);
  if (none !== "") return none;
  const counts = STRUCTURAL_LANGUAGES.map((one) => ({ one, count: files.filter(languageFiles(one)).length }));
  const searched = counts.find(({ one }) => one === language)?.count ?? 0;
  const others = counts.filter(({ one, count }) => one !== language && count > 0);
  const listed = others.map(({ one, count }) => `${one} (${count} files)`).join(", ");
  return [
    searched === 0
      ? `There are no ${language} files here.`
      : `No match in ${searched} ${language} files. A pattern must be a complete piece of syntax, with the same modifiers as the code.`,
    ...(listed === "" ? [] : [`Not searched: ${listed}.`]),
  ].join(" ");
}
