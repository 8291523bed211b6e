import * as z from "zod";
import { STRUCTURAL_LANGUAGES } from "../index/structural.ts";
import { insidePath } from "../workspace/paths.ts";
import { page } from "./paging.ts";
import {
  folderArgument,
  maxAnswerChars,
  maxResults,
  offsetArgument,
  pageOutput,
  repoArgument,
} from "./schema.ts";
import { defineTool } from "./tool.ts";

const pattern = (text: string) => z.string().min(1).max(2_000).describe(text);

const input = z.object({
  pattern: pattern(
    'Code with metavariables: $NAME is one node, $$$NAME any number, $_ one that is not kept. Such as "await $CALL($$$ARGS)" or "class $C extends Error { $$$ }".',
  ),
  language: z.enum(STRUCTURAL_LANGUAGES).describe("The language of pattern and files."),
  inside: pattern(
    'Only matches inside of code of this pattern, such as "function main($$$) { $$$ }".',
  ).optional(),
  repo: repoArgument,
  path: folderArgument,
  offset: offsetArgument,
  max_results: maxResults(50, 500),
  max_answer_chars: maxAnswerChars,
});

const output = z.object({
  repo: z.string(),
  matches: z.array(
    z.object({
      path: z.string(),
      line: z.int(),
      column: z.int(),
      end_line: z.int(),
      text: z.string().describe("The matched code, its beginning when it is long."),
      captures: z.record(z.string(), z.string()).describe("What the metavariables stand for."),
    }),
  ),
  note: z
    .string()
    .optional()
    .describe("What may be wrong with the pattern, and files that were not looked at."),
  timed_out: z.boolean().describe("True when not all files were looked at; narrow it by path."),
  ...pageOutput,
});

export const searchStructural = defineTool({
  name: "search_structural",
  title: "Search code by its structure",
  description:
    "Finds code by its syntax (an ast-grep pattern), whatever its spacing, names and comments: calls, declarations, shapes of code. For TypeScript, TSX, JavaScript, HTML, CSS and Python; for plain text use search_text.",
  scope: "code:read",
  needs: ["git", "structural"],
  input,
  output,
  async run(args, { workspace, index, signal }) {
    const repo = await workspace.find(args.repo);
    const folder = args.path === "" ? "" : (await insidePath(repo, args.path)).real;
    const files = [...(await workspace.files(repo))].filter(
      (file) => folder === "" || file === folder || file.startsWith(`${folder}/`),
    );
    const max = Math.min(args.offset + args.max_results, 10_000);
    const { pattern, inside, language } = args;
    const job = { root: repo.root, pattern, inside, language, files: files.sort(), max };
    const found = await index.structural(job, signal);
    const { items, ...rest } = page(
      found.matches,
      args.offset,
      args.max_results,
      args.max_answer_chars,
      found.more,
    );
    const broken = `The pattern is no whole piece of ${language}: give it all its brackets, or search for a greater part.`;
    const { left_out } = found;
    const notes = [
      ...(found.broken && items.length === 0 ? [broken] : []),
      ...(left_out.length > 0
        ? [
            `Not looked at: ${left_out.slice(0, 5).join(", ")}${left_out.length > 5 ? ` and ${left_out.length - 5} more` : ""}.`,
          ]
        : []),
    ];
    return {
      repo: repo.name,
      matches: items,
      ...(notes.length > 0 ? { note: notes.join(" ") } : {}),
      timed_out: found.timed_out,
      ...rest,
    };
  },
});
