import * as z from "zod";
import { sizeOfText } from "../answer-size.ts";
import { ToolError } from "../tool-error.ts";
import { git } from "../workspace/git.ts";
import { insidePath } from "../workspace/paths.ts";
import { SHALLOW, shallowBoundary } from "../workspace/refs.ts";
import { fileAt, resolveRevision } from "../workspace/revisions.ts";
import { servedFile } from "../workspace/served-file.ts";
import type { Repository, Workspace } from "../workspace/workspace.ts";
import { page } from "./paging.ts";
import {
  fileArgument,
  lineArgument,
  maxAnswerChars,
  pageOutput,
  pageStart,
  repoArgument,
  revisionArgument,
} from "./schema.ts";
import { defineTool } from "./tool.ts";

const MAX_LINES = 1_000;
const MAX_FILE_BYTES = 4 * 1024 * 1024;

const input = z.object({
  repo: repoArgument,
  path: fileArgument,
  revision: revisionArgument("Commit, branch or tag. Default: the work tree.").optional(),
  start_line: lineArgument("First line, 1-based.").default(1),
  end_line: lineArgument(`Last line; at most ${MAX_LINES} lines. Default: the end of the file.`).optional(),
  ...pageStart,
  max_answer_chars: maxAnswerChars,
});

const output = z.object({
  repo: z.string(),
  path: z.string(),
  groups: z.array(
    z.object({
      start_line: z.int(),
      end_line: z.int(),
      commit: z.string().describe("All zeros if not committed yet."),
      author: z.string(),
      date: z.string(),
      summary: z.string().describe("First line of the commit message."),
      text: z.string(),
    }),
  ),
  total: z.int(),
  ...pageOutput,
});

export const gitBlame = defineTool({
  name: "git_blame",
  title: "Blame",
  description:
    "Shows the commit, author and date that last changed each line of a file. Consecutive lines of one commit form a group.",
  scope: "code:read",
  needs: ["git"],
  input,
  output,
  text: ({ path, groups }) => [path, ...groups.map(blameText)].join("\n"),
  async run(args, { workspace, signal }) {
    const repo = await workspace.find(args.repo);
    const { revision, start_line, end_line = start_line + MAX_LINES - 1 } = args;
    const commit = revision === undefined ? undefined : await resolveRevision(repo, revision, signal);
    const path =
      commit === undefined
        ? (await servedFile(workspace, repo, args.path)).real
        : (await fileAt(repo, commit, args.path, MAX_FILE_BYTES, signal)).given;
    const last = Math.min(end_line, start_line + MAX_LINES - 1);
    const options = [
      "blame",
      "--porcelain",
      "--no-textconv",
      `-L${start_line},${last}`,
      ...(commit ? [commit] : []),
    ];
    const { text, note } = await blame(workspace, repo, options, path, signal);
    const groups = parseBlame(text);
    const { items, ...rest } = page(groups, { ...args, max_results: MAX_LINES });
    const boundary = await shallowBoundary(repo);
    const notes = [
      note,
      groups.some((group) => boundary.has(group.commit))
        ? `Lines of ${[...boundary].map((hash) => hash.slice(0, 12)).join(", ")} may be older. ${SHALLOW}`
        : "",
    ].filter(Boolean);
    return {
      repo: repo.name,
      path,
      groups: items,
      total: groups.length,
      ...rest,
      ...(notes.length > 0 ? { note: notes.join(" ") } : {}),
    };
  },
});

/** Commits that a repository wants left out of blame, as forges do too: large reformatting, for example. */
const IGNORE_REVS = ".git-blame-ignore-revs";

async function blame(
  workspace: Workspace,
  repo: Repository,
  options: readonly string[],
  path: string,
  signal: AbortSignal,
): Promise<{ text: string; note: string }> {
  const run = async (more: readonly string[]) =>
    (
      await git(repo.root, [...options.slice(0, 1), ...more, ...options.slice(1), "--", path], signal, {
        literal: true,
      })
    ).toString("utf8");
  try {
    if (await workspace.shows(repo, IGNORE_REVS)) {
      const file = await insidePath(repo, IGNORE_REVS);
      // git refuses a file with other lines than hashes and comments.
      const text = await run([`--ignore-revs-file=${file.absolute}`]).catch(() => undefined);
      if (text !== undefined) return { text, note: `The commits in ${IGNORE_REVS} are passed over.` };
    }
    return { text: await run([]), note: "" };
  } catch (error) {
    if (!(error instanceof ToolError)) throw error;
    const lines = /has only (\d+) lines?/.exec(error.message)?.[1];
    if (lines !== undefined) return { text: "", note: `The file has ${lines} lines. Lower start_line.` };
    if (/no such path .* in HEAD/.test(error.message))
      return { text: "", note: "The file is not committed yet, so no line of it has a commit." };
    throw error;
  }
}

export interface BlameGroup {
  start_line: number;
  end_line: number;
  commit: string;
  author: string;
  date: string;
  summary: string;
  text: string;
}

/** Longer lines are cut, characters. */
const MAX_LINE = 400;

/** git-blame(1), "THE PORCELAIN FORMAT": the details of a commit come with its first line only. */
export function parseBlame(text: string): BlameGroup[] {
  const known = new Map<string, { author: string; date: string; summary: string }>();
  const groups: BlameGroup[] = [];
  let commit = "";
  let line = 0;
  let details = { author: "", date: "", summary: "" };
  for (const row of text.split("\n")) {
    const head = /^([0-9a-f]{40,64}) \d+ (\d+)/.exec(row);
    if (head) {
      commit = head[1] ?? "";
      line = Number(head[2]);
      details = known.get(commit) ?? { author: "", date: "", summary: "" };
      known.set(commit, details);
    } else if (row.startsWith("\t"))
      add(groups, commit, line, details, row.slice(1, 1 + MAX_LINE).replace(/\r$/, ""));
    else if (row.startsWith("author ")) details.author = row.slice(7);
    else if (row.startsWith("author-time "))
      details.date = new Date(Number(row.slice(12)) * 1_000).toISOString();
    else if (row.startsWith("summary ")) details.summary = row.slice(8, 508);
  }
  return groups;
}

function add(
  groups: BlameGroup[],
  commit: string,
  line: number,
  details: { author: string; date: string; summary: string },
  text: string,
): void {
  const last = groups.at(-1);
  // Groups stay short, so that one alone never fills a response.
  if (last && last.commit === commit && last.end_line === line - 1 && sizeOfText(last.text) < 4_000) {
    last.end_line = line;
    last.text += `\n${text}`;
  } else groups.push({ start_line: line, end_line: line, commit, ...details, text });
}

/** The commit above the lines that it changed. */
function blameText({ commit, author, date, summary, start_line, text }: BlameGroup): string {
  const lines = text.split("\n").map((line, n) => `${start_line + n}\t${line}`);
  return [`${commit.slice(0, 12)} ${date.slice(0, 10)} ${author}: ${summary}`, ...lines].join("\n");
}
