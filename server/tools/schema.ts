import * as z from "zod";
import { PRECISIONS } from "../index/queries/reference-rows.ts";

/**
 * Arguments and results that several tools share, so that the same argument has the same name, limits and description everywhere.
 * Strings only have a length limit here. Their content is checked where it is used, with a message that helps a model more than
 * a pattern does. Unknown arguments are ignored, since several clients add their own.
 */
export const repoArgument = z
  .string()
  .min(1)
  .max(255)
  .optional()
  .describe("Repository, see list_repos. Optional if there is only one.");

const pathArgument = z.string().max(4096);

/** @param text what the folder restricts */
export const folderArgument = (text = "Only this folder or file.") => pathArgument.default("").describe(text);

export const fileArgument = pathArgument.min(1).describe("File path from the repository root.");

export const globArgument = (text: string) => z.string().min(1).max(200).describe(text);

export const revisionArgument = (text: string) => z.string().min(1).max(250).describe(text);

export const symbolArgument = (text: string) => z.string().min(1).max(500).describe(text);

export const lineArgument = (text: string) => z.int().min(1).max(100_000_000).describe(text);

/** The largest response of any tool: below the 25,000 tokens that clients accept, at three characters of code per token. */
export const MOST_CHARS = 60_000;

export const maxAnswerChars = z
  .int()
  .min(1)
  .max(MOST_CHARS)
  .default(40_000)
  .describe("Maximum characters; a non-ASCII one counts as 3.");

/**
 * The arguments of a tool with pages.
 *
 * @param fallback results on a page by default
 * @param most largest number of results on a page
 */
export function pageArguments(fallback: number, most: number) {
  return {
    ...pageStart,
    max_results: z.int().min(1).max(most).default(fallback).describe("Maximum number of results."),
    max_answer_chars: maxAnswerChars,
  };
}

/** Where a page begins. */
export const pageStart = {
  offset: z.int().min(0).max(10_000_000).default(0).describe("next_offset of the previous page."),
};

/**
 * A string or null. The description belongs to the string: a bare nullable string has the JSON Schema `"type": ["string", "null"]`,
 * which several clients do not support.
 */
export const textOrNull = (description: string) => z.string().describe(description).nullable();

/** How recent the index behind a response is. */
export const indexOutput = z.object({
  state: z.enum(["current", "updating"]).describe("updating: files changed after this state was indexed."),
  commit: z.string().describe('Indexed commit; "" if there is none.'),
  indexed_at: z.string(),
  left_out: z
    .object({
      files: z.int(),
      examples: z.array(z.string()).optional().describe("Only if nothing was found."),
    })
    .optional()
    .describe("Files missing from the index, or indexed without symbols; search_text still searches them."),
});

/** Where the places of a response come from. */
export const precisionOutput = z
  .enum(PRECISIONS)
  .describe(
    "precise: from a compiler's index. lexical: by names and scopes. mixed: lexical in files changed since.",
  );

/** The end of each response that has pages. */
export const pageOutput = {
  truncated: z.boolean().describe("True if there are more results."),
  next_offset: z.int().nullable().describe("offset of the next page, or null."),
};
