import { join } from "node:path";
import * as z from "zod";
import type { Progress } from "../shares/progress.ts";
import { ToolError } from "../tool-error.ts";
import { git } from "../workspace/git.ts";
import { entryAt, ofCommits, spelledAt } from "../workspace/history.ts";
import { checkPath } from "../workspace/paths.ts";
import { resolveRevision, revisionRange } from "../workspace/revisions.ts";
import { Snapshot } from "../workspace/snapshot.ts";
import type { Repository } from "../workspace/workspace.ts";
import { logNote } from "./answers/log-note.ts";
import { commitsWithChangedText } from "./log/changed-text.ts";
import { type Commit, LOG_FORMAT, parseLog } from "./log/commits.ts";
import { pageFrom } from "./paging.ts";
import { folderArgument, pageArguments, pageOutput, repoArgument, revisionArgument } from "./schema.ts";
import { defineTool } from "./tool.ts";

const filter = (text: string) => z.string().min(1).max(200).describe(text).optional();

const input = z.object({
  repo: repoArgument,
  revision: revisionArgument('Commit, branch or tag to start from, or a range: "v1..main".').default("HEAD"),
  path: folderArgument("Only commits that changed this file or folder. A file is followed through renames."),
  author: filter("Only commits whose author name or email contains this text."),
  message: filter("Only commits whose message contains this text."),
  changed_text: filter("Only commits that added or removed this text (git log -S)."),
  since: filter('Only commits after this date, such as "2025-01-31" or "2 weeks ago".'),
  until: filter("Only commits before this date."),
  ...pageArguments(30, 500),
});

const output = z.object({
  repo: z.string(),
  commits: z.array(
    z.object({
      commit: z.string(),
      parents: z.array(z.string()),
      author: z.string(),
      date: z.string().describe("Author date, ISO 8601."),
      subject: z.string(),
      body: z.string().describe("Rest of the message."),
    }),
  ),
  ...pageOutput,
});

export const gitLog = defineTool({
  name: "git_log",
  title: "Log",
  description:
    "Lists commits of a git repository, newest first, filtered by path, author, message, date or changed text.",
  scope: "code:read",
  needs: ["git"],
  input,
  output,
  text: ({ commits }) => (commits.length === 0 ? "No commits." : commits.map(logEntry).join("\n")),
  async run(args, { workspace, signal, progress }) {
    for (const name of ["author", "message", "changed_text", "since", "until"] as const)
      if (/[\0\n]/.test(args[name] ?? ""))
        throw new ToolError(`${name} must be one line without NUL characters.`);
    const repo = await workspace.find(args.repo);
    const range = revisionRange(args.revision);
    const commit = await resolveRevision(repo, range?.to ?? args.revision, signal);
    const path = await spelledAt(repo, commit, checkPath(repo, args.path), signal);
    const excluded = range ? await resolveRevision(repo, range.from, signal) : undefined;
    const depends = dependsOn(repo, args);
    const { repo: _, revision: __, ...options } = args;
    const sinceFork = range?.sinceFork ?? false;
    const query: Query = { ...args, path, commit, excluded, sinceFork, depends };
    // --follow takes exactly one path, of a file.
    const follow = path !== "" && (await entryAt(repo, commit, path, signal))?.type === "blob";
    if (args.changed_text !== undefined) {
      const search = { text: args.changed_text, follow, progress };
      return { repo: repo.name, ...(await searchLog(repo, query, search, signal)) };
    }
    const what =
      depends === undefined ? undefined : ["log", commit, excluded, sinceFork, path, options, depends];
    const result = await ofCommits(repo, what, signal, (shared = signal) =>
      readLog(repo, query, follow, shared),
    );
    return { repo: repo.name, ...result };
  },
});

interface Query extends z.output<typeof input> {
  /** Hash where the log starts. */
  readonly commit: string;
  /** Hash of a commit that is left out, with those before it. */
  readonly excluded: string | undefined;
  /** Whether the commits of both sides since they parted are meant (`main...feature`). */
  readonly sinceFork: boolean;
  /** See dependsOn. */
  readonly depends: string | undefined;
}

/**
 * What a log depends on besides its commits and options, as a text: git maps the authors by the file .mailmap before it compares them.
 *
 * @returns undefined for what changes alone: git relates dates to the current time
 */
function dependsOn(repo: Repository, { author, since, until }: z.output<typeof input>): string | undefined {
  if (since !== undefined || until !== undefined) return undefined;
  if (author === undefined) return "-";
  const began = Date.now();
  const mailmap = new Snapshot({ paths: [join(repo.root, ".mailmap")] });
  return mailmap.isSettled(began) ? mailmap.key : undefined;
}

/** Options and arguments of git log that select the commits of a query. */
function selectionOf({ author, message, since, until, commit, excluded, sinceFork }: Query): string[] {
  const range =
    excluded === undefined ? [commit] : sinceFork ? [`${excluded}...${commit}`] : [commit, `^${excluded}`];
  return [
    "--regexp-ignore-case",
    "--fixed-strings",
    ...formsOf(author).map((form) => `--author=${form}`),
    ...formsOf(message).map((form) => `--grep=${form}`),
    ...(since === undefined ? [] : [`--since=${since}`]),
    ...(until === undefined ? [] : [`--until=${until}`]),
    ...range,
  ];
}

/** A text in both Unicode forms: git compares bytes. */
const formsOf = (text: string | undefined) =>
  text === undefined ? [] : [...new Set([text, text.normalize("NFC"), text.normalize("NFD")])];

/** @param follow whether the path is a file, which is followed through renames */
async function readLog(repo: Repository, query: Query, follow: boolean, signal: AbortSignal) {
  const { path, offset, max_results } = query;
  const args = [
    "log",
    ...LOG_FORMAT,
    `--skip=${offset}`,
    `--max-count=${max_results + 1}`,
    ...(follow ? ["--follow"] : []),
    ...selectionOf(query),
    "--",
    ...(path === "" ? [] : [path]),
  ];
  const output = await git(repo.root, args, signal, { literal: true }).catch(askToNarrow);
  return pageOf(repo, query, parseLog(output.toString("utf8")), signal);
}

const NARROW = 'Narrow it: path, author, since and until, or a range such as "v1..main" as revision.';

/** git says only that it took too long. */
function askToNarrow(error: Error): never {
  if (!/took longer than/.test(error.message)) throw error;
  throw new ToolError(`${error.message}. ${NARROW}`);
}

async function searchLog(
  repo: Repository,
  query: Query,
  what: { text: string; follow: boolean; progress: Progress | undefined },
  signal: AbortSignal,
) {
  const { offset, max_results, path, depends } = query;
  const enough = offset + max_results + 1;
  const search = { ...what, selection: selectionOf(query), path, enough, depends };
  const found = await commitsWithChangedText(repo, search, signal).catch(askToNarrow);
  const commits = found.commits.slice(offset, enough);
  if (found.isComplete || found.commits.length >= enough) return pageOf(repo, query, commits, signal);
  const { searched, total, last } = found;
  const next =
    depends === undefined ? "" : " Call again with the same arguments: the search goes on from there.";
  const stopped = `The search stopped after ${searched} of ${total} commits, the newest first, at ${last.slice(0, 12)}: it takes long in this repository.`;
  if (commits.length === 0) throw new ToolError(`Nothing found yet. ${stopped}${next} ${NARROW}`);
  const { items, ...rest } = pageFrom(commits, query, true);
  const more = next === "" ? "" : " Call again with next_offset as offset: the search goes on from there.";
  return { commits: items, ...rest, note: `${stopped}${more} ${NARROW}` };
}

/** One more commit than the page has shows that there are more. */
async function pageOf(repo: Repository, query: Query, commits: readonly Commit[], signal: AbortSignal) {
  const { items, ...rest } = pageFrom(commits, query);
  const note = rest.truncated ? "" : await logNote(repo, query, query.commit, items.length === 0, signal);
  return { commits: items, ...rest, ...(note === "" ? {} : { note }) };
}

/** One line for each commit, and its message below. */
function logEntry({
  commit,
  author,
  date,
  subject,
  body,
  parents,
}: z.output<typeof output>["commits"][number]) {
  const merge = parents.length > 1 ? " (merge)" : "";
  const text = body === "" ? "" : `\n    ${body.replaceAll("\n", "\n    ")}`;
  return `${commit.slice(0, 12)} ${date.slice(0, 10)} ${author}${merge}: ${subject}${text}`;
}
