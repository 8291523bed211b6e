import { join } from "node:path";
import * as z from "zod";
import { sizeOfText } from "../answer-size.ts";
import { clip } from "../clip.ts";
import { ToolError } from "../tool-error.ts";
import { stateOf } from "../workspace/git/state.ts";
import { git } from "../workspace/git.ts";
import { ofCommits } from "../workspace/history.ts";
import { insidePath } from "../workspace/paths.ts";
import { SHALLOW, shallowBoundary } from "../workspace/refs.ts";
import { fileAt, pathAt, resolveRevision } from "../workspace/revisions.ts";
import { servedFile, servedText, textOf } from "../workspace/served-file.ts";
import { Snapshot } from "../workspace/snapshot.ts";
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
import { linesOf } from "./text-lines.ts";
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
        : await pathAt(repo, commit, args.path, MAX_FILE_BYTES, signal);
    const last = Math.min(end_line, start_line + MAX_LINES - 1);
    const lines = `-L${start_line},${last}`;
    const { groups: blamed, note } = await blame({ workspace, repo, commit, path, lines }, signal);
    const isWide = blamed.some(({ text }) => text.includes("\0"));
    const whole = isWide ? await textAt(workspace, repo, commit, path, signal) : undefined;
    const groups = isWide ? withText(blamed, whole) : blamed;
    const { items, ...rest } = page(groups, { ...args, max_results: MAX_LINES });
    const boundary = await shallowBoundary(repo);
    const notes = [
      note,
      isWide && whole === undefined ? "The file is binary. Its text cannot be shown." : "",
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

/** The text of a file, of which git shows only the bytes: UTF-16 is text here. undefined for a binary file. */
async function textAt(
  workspace: Workspace,
  repo: Repository,
  commit: string | undefined,
  path: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  const file =
    commit === undefined
      ? await servedText(workspace, repo, path, signal)
      : textOf(await fileAt(repo, commit, path, MAX_FILE_BYTES, signal));
  return file.text;
}

/** The groups with the lines of the text. git counts a last line that UTF-16 does not have. */
function withText(groups: readonly BlameGroup[], whole: string | undefined): BlameGroup[] {
  if (whole === undefined) return groups.map((group) => ({ ...group, text: "" }));
  const lines = linesOf(whole);
  return groups
    .filter(({ start_line }) => start_line <= lines.length)
    .map((group) => ({
      ...group,
      end_line: Math.min(group.end_line, lines.length),
      text: lines
        .slice(group.start_line - 1, group.end_line)
        .map((line) => clip(line, MAX_LINE))
        .join("\n"),
    }));
}

/** Commits that a repository wants left out of blame, as forges do too: large reformatting, for example. */
const IGNORE_REVS = ".git-blame-ignore-revs";

interface Blamed {
  readonly workspace: Workspace;
  readonly repo: Repository;
  /** undefined: the work tree. */
  readonly commit: string | undefined;
  readonly path: string;
  /** Option of git blame that selects the lines. */
  readonly lines: string;
}

interface Blame {
  readonly groups: readonly BlameGroup[];
  readonly note: string;
}

async function blame(blamed: Blamed, signal: AbortSignal): Promise<Blame> {
  const { workspace, repo, commit, path, lines } = blamed;
  const ignored = (await workspace.shows(repo, IGNORE_REVS))
    ? await insidePath(repo, IGNORE_REVS)
    : undefined;
  const began = Date.now();
  const { head, gitDir, commonDir } = await stateOf(repo.root, signal);
  const files = new Snapshot({
    paths: [
      // git maps the authors by it.
      join(repo.root, ".mailmap"),
      ...(ignored ? [ignored.absolute] : []),
      ...(commit === undefined ? inputsOfWorkTree(repo, path, gitDir, commonDir) : []),
    ],
  });
  const start = commit ?? head;
  const isKept = start !== undefined && files.isSettled(began);
  const what = isKept ? ["blame", commit, start, path, lines, files.key] : undefined;
  return ofCommits(repo, what, signal, (shared = signal) => runBlame(blamed, ignored?.absolute, shared));
}

/** What git reads to compare a file of the work tree with HEAD. */
function inputsOfWorkTree(repo: Repository, path: string, gitDir: string, commonDir: string): string[] {
  const folders = path.split("/").map((_, n, parts) => parts.slice(0, n).join("/"));
  return [
    join(repo.root, path),
    join(gitDir, "index"),
    join(gitDir, "MERGE_HEAD"),
    join(commonDir, "info", "attributes"),
    ...folders.map((folder) => join(repo.root, folder, ".gitattributes")),
  ];
}

async function runBlame(
  { repo, commit, path, lines }: Blamed,
  ignoreRevs: string | undefined,
  signal: AbortSignal,
): Promise<Blame> {
  const run = async (...options: readonly string[]) => {
    const revision = commit === undefined ? [] : [commit];
    const args = ["blame", "--porcelain", "--no-textconv", ...options, lines, ...revision, "--", path];
    return parseBlame((await git(repo.root, args, signal, { literal: true })).toString("utf8"));
  };
  try {
    if (ignoreRevs !== undefined) {
      // git refuses a file with other lines than hashes and comments.
      const groups = await run(`--ignore-revs-file=${ignoreRevs}`).catch((error: Error) => {
        if (!/object name/.test(error.message)) throw error;
        return undefined;
      });
      if (groups) return { groups, note: `The commits in ${IGNORE_REVS} are passed over.` };
    }
    return { groups: await run(), note: "" };
  } catch (error) {
    if (!(error instanceof ToolError)) throw error;
    const count = /has only (\d+) lines?/.exec(error.message)?.[1];
    if (count !== undefined) return { groups: [], note: `The file has ${count} lines. Lower start_line.` };
    if (/no such ref: HEAD/.test(error.message))
      return { groups: [], note: "The repository has no commits yet, so no line has one." };
    if (/no such path .* in HEAD/.test(error.message))
      return { groups: [], note: "The file is not committed yet, so no line of it has a commit." };
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
function parseBlame(text: string): BlameGroup[] {
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
      add(groups, commit, line, details, clip(row.slice(1).replace(/\r$/, ""), MAX_LINE));
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
