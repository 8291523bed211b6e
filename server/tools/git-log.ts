import * as z from "zod";
import { clip } from "../clip.ts";
import { ToolError } from "../tool-error.ts";
import { git } from "../workspace/git.ts";
import { checkPath } from "../workspace/paths.ts";
import { resolveRevision, revisionRange } from "../workspace/revisions.ts";
import { logNote } from "./answers/log-note.ts";
import { pageFrom } from "./paging.ts";
import { folderArgument, pageArguments, pageOutput, repoArgument, revisionArgument } from "./schema.ts";
import { defineTool } from "./tool.ts";

/** Longest message body, characters. */
const MAX_BODY = 2_000;

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
  async run(args, { workspace, signal }) {
    for (const name of ["author", "message", "changed_text", "since", "until"] as const)
      if (/[\0\n]/.test(args[name] ?? ""))
        throw new ToolError(`${name} must be one line without NUL characters.`);
    const repo = await workspace.find(args.repo);
    const path = checkPath(repo, args.path);
    const range = revisionRange(args.revision);
    const commit = await resolveRevision(repo, range?.to ?? args.revision, signal);
    const excluded = range ? await resolveRevision(repo, range.from, signal) : undefined;
    // --follow takes exactly one path, of a file.
    const follow = path !== "" && (await isFile(repo.root, commit, path, signal));
    const options = [
      "log",
      "-z",
      "--format=%H%x00%P%x00%an%x00%aI%x00%s%x00%b",
      "--no-color",
      "--no-show-signature",
      "--encoding=UTF-8",
      `--skip=${args.offset}`,
      `--max-count=${args.max_results + 1}`,
      "--regexp-ignore-case",
      "--fixed-strings",
      ...(args.author === undefined ? [] : [`--author=${args.author}`]),
      ...(args.message === undefined ? [] : [`--grep=${args.message}`]),
      ...(args.changed_text === undefined
        ? []
        : [`-S${args.changed_text}`, "--no-textconv", "--no-ext-diff"]),
      ...(args.since === undefined ? [] : [`--since=${args.since}`]),
      ...(args.until === undefined ? [] : [`--until=${args.until}`]),
      ...(follow ? ["--follow", "--no-patch"] : ["--no-patch"]),
    ];
    const paths = path === "" ? [] : [path];
    const text = (
      await git(
        repo.root,
        [...options, commit, ...(excluded === undefined ? [] : [`^${excluded}`]), "--", ...paths],
        signal,
        { literal: true },
      )
    ).toString("utf8");
    const commits = parseLog(text);
    const { items, ...rest } = pageFrom(commits, args);
    const note = rest.truncated
      ? ""
      : await logNote(repo, { ...args, path }, commit, items.length === 0, signal);
    return { repo: repo.name, commits: items, ...rest, ...(note === "" ? {} : { note }) };
  },
});

/** With -z a NUL ends each commit, and each of its six fields. */
export function parseLog(text: string) {
  const fields = text.split("\0");
  const commits = [];
  for (let n = 0; n + 6 <= fields.length; n += 6) {
    const [commit = "", parents = "", author = "", date = "", subject = "", body = ""] = fields.slice(
      n,
      n + 6,
    );
    commits.push({
      commit: commit.trim(),
      parents: parents.split(" ").filter(Boolean),
      author,
      date,
      subject: subject.slice(0, 500),
      body: clip(body.trim(), MAX_BODY),
    });
  }
  return commits;
}

async function isFile(root: string, commit: string, path: string, signal: AbortSignal): Promise<boolean> {
  const entry = await git(root, ["ls-tree", "-z", "--full-tree", commit, "--", path], signal, {
    literal: true,
  });
  return /^\d+ blob /.test(entry.toString());
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
  const message = body === "" ? "" : `\n    ${body.replaceAll("\n", "\n    ")}`;
  return `${commit.slice(0, 12)} ${date.slice(0, 10)} ${author}${merge}: ${subject}${message}`;
}
