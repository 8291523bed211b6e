import * as z from "zod";
import { sizeOfText } from "../answer-size.ts";
import { ToolError } from "../tool-error.ts";
import { git } from "../workspace/git.ts";
import { checkPath, insidePath } from "../workspace/paths.ts";
import { fileAt, resolveRevision } from "../workspace/revisions.ts";
import { page } from "./paging.ts";
import {
  fileArgument,
  maxAnswerChars,
  offsetArgument,
  pageOutput,
  repoArgument,
  revisionArgument,
} from "./schema.ts";
import { defineTool } from "./tool.ts";

const MAX_LINES = 1_000;
const MAX_FILE_BYTES = 4 * 1024 * 1024;

const input = z.object({
  repo: repoArgument,
  path: fileArgument,
  revision: revisionArgument(
    "As the file was at this revision. Default: as it lies in the work tree.",
  ).optional(),
  start_line: z.int().min(1).max(10_000_000).default(1).describe("First line, counted from 1."),
  end_line: z
    .int()
    .min(1)
    .max(10_000_000)
    .optional()
    .describe(`Last line. Default: ${MAX_LINES} lines, or the end of the file.`),
  offset: offsetArgument.describe("Groups of lines to skip: next_offset of the answer before, to go on."),
  max_answer_chars: maxAnswerChars,
});

const output = z.object({
  repo: z.string(),
  path: z.string(),
  groups: z.array(
    z.object({
      start_line: z.int(),
      end_line: z.int(),
      commit: z.string().describe("All zeros: not committed yet."),
      author: z.string(),
      date: z.string(),
      summary: z.string().describe("First line of the commit's message."),
      text: z.string(),
    }),
  ),
  total: z.int(),
  ...pageOutput,
});

export const gitBlame = defineTool({
  name: "git_blame",
  title: "Who changed these lines",
  description:
    "Tells for each line of a file in which commit it was last changed, by whom and when; neighbouring lines of one commit together.",
  scope: "code:read",
  needs: ["git"],
  input,
  output,
  async run(args, { workspace, signal }) {
    const repo = await workspace.find(args.repo);
    const path =
      args.revision === undefined ? (await insidePath(repo, args.path)).real : checkPath(args.path);
    const commit =
      args.revision === undefined ? undefined : await resolveRevision(repo, args.revision, signal);
    if (commit !== undefined) await fileAt(repo, commit, path, MAX_FILE_BYTES, signal);
    else if (!(await workspace.shows(repo, path)))
      throw new ToolError(`${JSON.stringify(path)} is no file of repository ${repo.name} that git knows.`);
    const last = Math.min(args.end_line ?? args.start_line + MAX_LINES - 1, args.start_line + MAX_LINES - 1);
    if (last < args.start_line) throw new ToolError("end_line lies before start_line.");
    const options = [
      "blame",
      "--porcelain",
      "--no-textconv",
      `-L${args.start_line},${last}`,
      ...(commit ? [commit] : []),
    ];
    const text = (await git(repo.root, [...options, "--", path], signal, { literal: true })).toString("utf8");
    const groups = parseBlame(text);
    const { items, ...rest } = page(groups, args.offset, MAX_LINES, args.max_answer_chars);
    return { repo: repo.name, path, groups: items, total: groups.length, ...rest };
  },
});

export interface BlameGroup {
  start_line: number;
  end_line: number;
  commit: string;
  author: string;
  date: string;
  summary: string;
  text: string;
}

/** Longest line that is given whole, characters. */
const MAX_LINE = 400;

/** git-blame(1), "THE PORCELAIN FORMAT": what is known of a commit comes with its first line only. */
export function parseBlame(text: string): BlameGroup[] {
  const known = new Map<string, { author: string; date: string; summary: string }>();
  const groups: BlameGroup[] = [];
  let commit = "";
  let line = 0;
  let facts = { author: "", date: "", summary: "" };
  for (const row of text.split("\n")) {
    const head = /^([0-9a-f]{40,64}) \d+ (\d+)/.exec(row);
    if (head) {
      commit = head[1] ?? "";
      line = Number(head[2]);
      facts = known.get(commit) ?? { author: "", date: "", summary: "" };
      known.set(commit, facts);
    } else if (row.startsWith("\t")) add(groups, commit, line, facts, row.slice(1, 1 + MAX_LINE));
    else if (row.startsWith("author ")) facts.author = row.slice(7);
    else if (row.startsWith("author-time "))
      facts.date = new Date(Number(row.slice(12)) * 1_000).toISOString();
    else if (row.startsWith("summary ")) facts.summary = row.slice(8, 508);
  }
  return groups;
}

function add(
  groups: BlameGroup[],
  commit: string,
  line: number,
  facts: { author: string; date: string; summary: string },
  text: string,
): void {
  const last = groups.at(-1);
  // Short groups, so that one of them never fills an answer.
  if (last && last.commit === commit && last.end_line === line - 1 && sizeOfText(last.text) < 4_000) {
    last.end_line = line;
    last.text += `\n${text}`;
  } else groups.push({ start_line: line, end_line: line, commit, ...facts, text });
}
