import * as z from "zod";
import { ToolError } from "../tool-error.ts";
import { git } from "../workspace/git.ts";
import { checkPath } from "../workspace/paths.ts";
import { resolveRevision } from "../workspace/revisions.ts";
import { page } from "./paging.ts";
import {
  maxAnswerChars,
  maxResults,
  offsetArgument,
  pageOutput,
  repoArgument,
  revisionArgument,
} from "./schema.ts";
import { defineTool } from "./tool.ts";

const MAX_BODY = 2_000;

const word = (text: string) => z.string().min(1).max(200).describe(text).optional();

const input = z.object({
  repo: repoArgument,
  revision: revisionArgument("Branch, tag or commit to begin at.").default("HEAD"),
  path: z
    .string()
    .max(4096)
    .default("")
    .describe("Only commits that changed this file or folder; a file is followed through renames."),
  author: word("Only commits whose author's name or address holds this."),
  message: word("Only commits whose message holds this."),
  changed_text: word("Only commits that added or removed this text (git's pickaxe)."),
  since: word('Only commits after this date: "2025-01-31" or "2 weeks ago".'),
  until: word("Only commits before this date."),
  offset: offsetArgument,
  max_results: maxResults(30, 500),
  max_answer_chars: maxAnswerChars,
});

const output = z.object({
  repo: z.string(),
  commits: z.array(
    z.object({
      commit: z.string(),
      parents: z.array(z.string()),
      author: z.string(),
      date: z.string().describe("When it was written, ISO 8601."),
      subject: z.string(),
      body: z.string().describe("The rest of the message."),
    }),
  ),
  ...pageOutput,
});

export const gitLog = defineTool({
  name: "git_log",
  title: "History",
  description:
    "Lists commits of a git repository, newest first: by path, author, message, date, or the text that they changed.",
  scope: "code:read",
  needs: ["git"],
  input,
  output,
  async run(args, { workspace, signal }) {
    for (const text of [args.author, args.message, args.changed_text, args.since, args.until])
      if (text !== undefined && /[\0\n]/.test(text))
        throw new ToolError("A filter is one line, without NUL characters.");
    const repo = await workspace.find(args.repo);
    const path = checkPath(args.path);
    const commit = await resolveRevision(repo, args.revision, signal);
    // Following renames takes exactly one path, and a file.
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
      await git(repo.root, [...options, commit, "--", ...paths], signal, { literal: true })
    ).toString("utf8");
    const commits = parseLog(text);
    const { items, ...rest } = page(commits, 0, args.max_results, args.max_answer_chars);
    const next_offset = rest.next_offset === null ? null : args.offset + rest.next_offset;
    return { repo: repo.name, commits: items, truncated: rest.truncated, next_offset };
  },
});

/** With -z each commit ends with a NUL, as each of its six fields does. */
export function parseLog(text: string) {
  const fields = text.split("\0");
  const commits = [];
  for (let n = 0; n + 6 <= fields.length; n += 6) {
    const [commit = "", parents = "", author = "", date = "", subject = "", body = ""] = fields.slice(
      n,
      n + 6,
    );
    const short = body.trim();
    commits.push({
      commit: commit.trim(),
      parents: parents.split(" ").filter(Boolean),
      author,
      date,
      subject: subject.slice(0, 500),
      body: short.length <= MAX_BODY ? short : `${short.slice(0, MAX_BODY)}…`,
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
