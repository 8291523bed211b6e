import * as z from "zod";

/**
 * Pieces of the tools' input schemas. Plain strings with a length limit: what a path or a glob may hold is checked where it is used,
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

export const globArgument = (text: string) => z.string().min(1).max(200).describe(text);
