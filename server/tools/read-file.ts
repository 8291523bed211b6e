import { lstat } from "node:fs/promises";
import * as z from "zod";
import { ToolError } from "../tool-error.ts";
import { fileText } from "../workspace/file-text.ts";
import { readWhole } from "../workspace/large-reads.ts";
import { openResolved } from "../workspace/open-resolved.ts";
import { insidePath } from "../workspace/paths.ts";
import { fileAt, resolveRevision } from "../workspace/revisions.ts";
import type { Repository, Workspace } from "../workspace/workspace.ts";
import { fileArgument, maxAnswerChars, repoArgument, revisionArgument, textOrNull } from "./schema.ts";
import { cut } from "./text-lines.ts";
import { defineTool } from "./tool.ts";

/** Larger files are not source code; reading one whole would cost the memory of many calls. Bytes. */
const MAX_FILE_BYTES = 16 * 1024 * 1024;
const input = z.object({
  repo: repoArgument,
  path: fileArgument,
  revision: revisionArgument(
    "Read the file as it was at this commit, branch or tag. Default: as it lies in the work tree.",
  ).optional(),
  start_line: z.int().min(1).max(100_000_000).default(1).describe("First line to read, counted from 1."),
  end_line: z
    .int()
    .min(1)
    .max(100_000_000)
    .optional()
    .describe("Last line to read. Default: the end of the file."),
  start_column: z
    .int()
    .min(1)
    .max(100_000_000)
    .default(1)
    .describe("Character of the first line to begin with: next_column of an answer that cut a long line."),
  max_answer_chars: maxAnswerChars,
});

const output = z.object({
  repo: z.string(),
  path: z.string(),
  commit: textOrNull("The commit that it was read from, null for the work tree."),
  size: z.int().describe("Size of the file, bytes."),
  binary: z.boolean().describe("True when it is not text; then text is empty."),
  total_lines: z.int(),
  start_line: z.int(),
  end_line: z.int().describe("Last line that is in text; start_line - 1 when none is."),
  truncated: z.boolean().describe("True when max_answer_chars cut the text short."),
  next_line: z.int().nullable().describe("start_line of the next call that goes on, or null at the end."),
  next_column: z
    .int()
    .nullable()
    .describe("start_column of the next call, where a line was too long for this answer; else null."),
  text: z.string(),
});

export const readFile = defineTool({
  name: "read_file",
  title: "Read a file",
  description:
    "Reads a text file of a git repository, whole or a range of lines, as it lies in the work tree or as it was at a revision.",
  scope: "code:read",
  needs: ["git"],
  input,
  output,
  async run(args, { workspace, signal }) {
    const { repo: name, path, revision, start_line, end_line, start_column, max_answer_chars } = args;
    if (end_line !== undefined && end_line < start_line)
      throw new ToolError(`end_line ${end_line} is before start_line ${start_line}.`);
    const repo = await workspace.find(name);
    const commit = revision === undefined ? null : await resolveRevision(repo, revision, signal);
    const file =
      commit === null
        ? await shownText(workspace, repo, path, signal)
        : textOf(await fileAt(repo, commit, path, MAX_FILE_BYTES, signal));
    const base = { repo: repo.name, path: file.given, commit, size: file.size, start_line };
    if (file.text === undefined)
      return {
        ...base,
        binary: true,
        total_lines: 0,
        end_line: start_line - 1,
        truncated: false,
        next_line: null,
        next_column: null,
        text: "",
      };
    const range = { from: start_line, to: end_line, column: start_column };
    return { ...base, binary: false, ...cut(file.text, range, max_answer_chars) };
  },
});

/** A file's text; undefined when it is binary. */
export interface FileText {
  given: string;
  size: number;
  text: string | undefined;
}

function textOf({ given, bytes }: { given: string; bytes: Buffer }): FileText {
  return { given, size: bytes.length, text: fileText(bytes) };
}

/**
 * Reads a file of the work tree that may be shown.
 *
 * @throws ToolError for any other, saying why
 */
export async function shownText(
  workspace: Workspace,
  repo: Repository,
  path: string,
  signal: AbortSignal,
): Promise<FileText> {
  const file = await insidePath(repo, path);
  if (!(await workspace.shows(repo, file.real)))
    throw new ToolError(await notShown(file.absolute, file.given));
  return textOf({ given: file.given, bytes: await readRegularFile(file.absolute, file.given, signal) });
}

/**
 * O_NONBLOCK keeps a pipe or a device from hanging the open; O_NOFOLLOW refuses a link put there since the path was resolved.
 */
export async function readRegularFile(absolute: string, given: string, signal: AbortSignal): Promise<Buffer> {
  const handle = await openResolved(absolute).catch((error: NodeJS.ErrnoException) => {
    throw new ToolError(`${JSON.stringify(given)} cannot be opened (${error.code ?? "unreadable"}).`);
  });
  try {
    const stat = await handle.stat();
    if (!stat.isFile()) throw new ToolError(`${JSON.stringify(given)} is not a regular file.`);
    if (stat.size > MAX_FILE_BYTES)
      throw new ToolError(
        `${JSON.stringify(given)} has ${stat.size} bytes, more than the ${MAX_FILE_BYTES} that read_file reads; find the place with search_text and context.`,
      );
    return await readWhole(handle, stat.size, signal);
  } finally {
    await handle.close();
  }
}

async function notShown(absolute: string, given: string): Promise<string> {
  const stat = await lstat(absolute).catch(() => undefined);
  if (stat?.isDirectory()) return `${JSON.stringify(given)} is a folder; use list_files with path.`;
  if (stat && !stat.isFile()) return `${JSON.stringify(given)} is not a regular file.`;
  return `${JSON.stringify(given)} is ignored by git, or lies in a submodule; such files are not served.`;
}
