import * as z from "zod";

/**
 * Pieces of the tools' schemas. Plain strings with a length limit: what a path or a glob may hold is checked where it is used,
 * with a message that helps a model more than a pattern does. Unknown arguments are ignored, since several clients add their own.
 */
export const repoArgument = z
  .string()
  .min(1)
  .max(255)
  .optional()
  .describe("Name of the repository. May be left out when the workspace holds exactly one.");

export const folderArgument = z
  .string()
  .max(4096)
  .default("")
  .describe('Folder (or file) inside the repository, such as "src". Default: the whole repository.');

export const fileArgument = z
  .string()
  .min(1)
  .max(4096)
  .describe("Path of the file relative to the repository.");

export const globArgument = (text: string) => z.string().min(1).max(200).describe(text);

export const revisionArgument = (text: string) => z.string().min(1).max(250).describe(text);

export const symbolArgument = (text: string) => z.string().min(1).max(500).describe(text);

export const offsetArgument = z
  .int()
  .min(0)
  .max(10_000_000)
  .default(0)
  .describe("Results to skip: next_offset of the answer before, to go on.");

export const maxResults = (fallback: number, most: number) =>
  z.int().min(1).max(most).default(fallback).describe("At most so many results.");

/** The most that any answer holds: below the 25,000 tokens that clients take, at three characters of code a token. */
export const MOST_CHARS = 60_000;

export const maxAnswerChars = z
  .int()
  .min(1)
  .max(MOST_CHARS)
  .default(40_000)
  .describe(
    "At most so many characters of results (one that is not ASCII counts as three); what is left out is on the next page.",
  );

/**
 * A text or null. The description is the text's own: a bare string that is nullable has the JSON Schema `"type": ["string", "null"]`,
 * which several clients' schema dialects do not know.
 */
export const textOrNull = (description: string) => z.string().describe(description).nullable();

/** Whether an answer of the index is of now. */
export const indexOutput = z
  .object({
    state: z
      .enum(["current", "updating"])
      .describe("updating: files have changed since; this answer is from the state before."),
    commit: z.string().describe('The commit that was indexed, "" before the first one.'),
    indexed_at: z.string(),
    left_out: z
      .object({ files: z.int(), examples: z.array(z.string()) })
      .optional()
      .describe(
        "Files that are not in the index, or not their symbols, and why: search_text and read_file know them.",
      ),
  })
  .describe("The state of the index that answered.");

/** The end of every answer that has pages. */
export const pageOutput = {
  truncated: z.boolean().describe("True when there are more results."),
  next_offset: z.int().nullable().describe("offset of the next page, or null at the end."),
};
