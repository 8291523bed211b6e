import * as z from "zod";
import { ToolError } from "../tool-error.ts";
import { fileAt, resolveRevision } from "../workspace/revisions.ts";
import { MAX_FILE_BYTES, servedText, textOf } from "../workspace/served-file.ts";
import {
  fileArgument,
  lineArgument,
  maxAnswerChars,
  repoArgument,
  revisionArgument,
  textOrNull,
} from "./schema.ts";
import { cut } from "./text-lines.ts";
import { defineTool } from "./tool.ts";

const input = z.object({
  repo: repoArgument,
  path: fileArgument,
  revision: revisionArgument("Commit, branch or tag. Default: the work tree.").optional(),
  start_line: lineArgument("First line, 1-based.").default(1),
  end_line: lineArgument("Last line. Default: the end of the file.").optional(),
  start_column: z
    .int()
    .min(1)
    .max(100_000_000)
    .default(1)
    .describe("First character of start_line: next_column of a response that cut a long line."),
  max_answer_chars: maxAnswerChars,
});

const output = z.object({
  repo: z.string(),
  path: z.string(),
  commit: textOrNull("Commit that the file was read from; null for the work tree."),
  size: z.int().describe("File size in bytes."),
  binary: z.boolean().describe("True if the file is not text; then text is empty."),
  total_lines: z.int(),
  start_line: z.int(),
  start_column: z.int(),
  end_line: z.int().describe("Last line in text; start_line - 1 if text has none."),
  truncated: z.boolean().describe("True if max_answer_chars cut the text."),
  next_line: z.int().nullable().describe("start_line to continue with, or null."),
  next_column: z.int().nullable().describe("start_column to continue with, if a line was cut; else null."),
  text: z.string(),
});

export const readFile = defineTool({
  name: "read_file",
  title: "Read file",
  description:
    "Reads a text file of a git repository, or a range of its lines, from the work tree or at a revision.",
  scope: "code:read",
  needs: ["git"],
  input,
  output,
  text: readText,
  async run(args, { workspace, signal }) {
    const { repo: name, path, revision, start_line, end_line, start_column, max_answer_chars } = args;
    if (end_line !== undefined && end_line < start_line)
      throw new ToolError(`end_line ${end_line} is before start_line ${start_line}. Swap them.`);
    const repo = await workspace.find(name);
    const commit = revision === undefined ? null : await resolveRevision(repo, revision, signal);
    const file =
      commit === null
        ? await servedText(workspace, repo, path, signal)
        : textOf(await fileAt(repo, commit, path, MAX_FILE_BYTES, signal));
    const base = { repo: repo.name, path: file.given, commit, size: file.size, start_line, start_column };
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
        note: "The file is binary. Its text cannot be shown.",
      };
    const range = { from: start_line, to: end_line, column: start_column };
    const read = cut(file.text, range, max_answer_chars);
    return { ...base, binary: false, ...read, ...(read.text === "" ? whyEmpty(read, range) : {}) };
  },
});

/** Numbered lines, since other tools and answers name lines. */
function readText(read: z.output<typeof output>): string {
  if (read.binary || read.text === "") return "";
  const column = read.start_column > 1 ? `:${read.start_column}` : "";
  const lines = read.text
    .split("\n")
    .map((line, n) => `${read.start_line + n}${n === 0 ? column : ""}\t${line}`);
  const next = {
    start_line: read.next_line,
    ...(read.next_column === null ? {} : { start_column: read.next_column }),
  };
  return [
    `${read.path} (lines ${read.start_line}-${read.end_line} of ${read.total_lines})`,
    ...lines,
    ...(read.truncated ? [`More: call again with ${JSON.stringify(next)}.`] : []),
  ].join("\n");
}

function whyEmpty(
  { total_lines: lines }: { total_lines: number },
  { from, column }: { from: number; column: number },
) {
  if (lines === 0) return { note: "The file is empty." };
  if (from > lines) return { note: `The file has ${lines} lines. Lower start_line.` };
  return { note: column > 1 ? `Line ${from} has fewer than ${column} characters.` : "The lines are empty." };
}
