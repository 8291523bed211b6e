import { completable, type McpServer, ProtocolError, ProtocolErrorCode } from "@modelcontextprotocol/server";
import * as z from "zod";
import type { Counted } from "../shares/counted.ts";
import { ToolError } from "../tool-error.ts";
import { withHeartbeat } from "../tools/heartbeat.ts";
import type { ToolContext } from "../tools/tool.ts";
import { git } from "../workspace/git.ts";
import type { Workspace } from "../workspace/workspace.ts";
import { progressOf } from "./progress.ts";

type Context = Pick<ToolContext, "workspace">;

/** Maximum length of a diff or listing in a prompt, characters: well below what clients accept in one message. */
const MAX_CHARS = 60_000;
/** Maximum number of paths in onboard. */
const MAX_PATHS = 400;

/** Built once per workspace: building zod schemas for each request was measured to be the largest cost. */
const schemas = new WeakMap<Workspace, ReturnType<typeof makeSchemas>>();

function makeSchemas(workspace: Workspace) {
  // completable() must be inside optional(): the SDK looks for it there.
  const repo = completable(z.string().max(255), async (start) =>
    (await workspace.repositories()).map((r) => r.name).filter((name) => name.startsWith(start)),
  )
    .optional()
    .describe("Name of the repository; may be omitted if there is only one.");
  const base = completable(z.string().max(200), (start, context) =>
    revisions(workspace, context?.arguments?.repo, start),
  )
    .optional()
    .describe("Branch, tag or commit to compare with. Default: HEAD~1.");
  return {
    symbol: z.object({
      symbol: z.string().min(1).max(200).describe("Function, class, type or constant to explain."),
      repo,
    }),
    diff: z.object({ base, repo }),
    repo: z.object({ repo }),
  };
}

/** Prompts that contain what the model needs to start, and say how to continue with this server's tools. */
export function registerPrompts(server: McpServer, { workspace }: Context, calls: Counted): void {
  const known = schemas.get(workspace) ?? makeSchemas(workspace);
  schemas.set(workspace, known);
  server.registerPrompt(
    "explain_symbol",
    {
      title: "Explain a symbol",
      description: "Finds where a symbol is defined and used, and explains it.",
      argsSchema: known.symbol,
    },
    ({ symbol, repo: name }) =>
      calls.run(async () => {
        const repo = await invalid(workspace.find(name));
        return message(
          `Explain ${JSON.stringify(symbol)} in the repository ${repo.name}.`,
          `1. Find it: explore with query ${JSON.stringify(symbol)} and repo ${JSON.stringify(repo.name)} gives its source, callers and tests; find_references has all uses. Where these are not offered: search_text with query ${JSON.stringify(symbol)}, case "sensitive"; its definition is usually the match that follows a keyword such as function, class, def, type or const.`,
          "2. Read the definition whole with read_file, with as much context as needed.",
          "3. Read two or three of the places that use it; tests among them show what is expected of it.",
          "Then say, with path:line for every claim: what it is for; what goes in and comes out, with limits, defaults and errors; who uses it and what they rely on; what would break if it changed. Say so when something cannot be told from the code.",
        );
      }),
  );
  server.registerPrompt(
    "review_diff",
    {
      title: "Review a change",
      description: "Gives the difference between a base and HEAD, and asks for a review of it.",
      argsSchema: known.diff,
    },
    ({ base = "HEAD~1", repo: name }, ctx) =>
      calls.run(async () => {
        const repo = await invalid(workspace.find(name));
        const { signal } = ctx.mcpReq;
        const diff = await invalid(
          withHeartbeat("review_diff", { progress: progressOf(ctx.mcpReq) }, () =>
            difference(repo.root, base, signal),
          ),
        );
        const cut = diff.length > MAX_CHARS;
        return message(
          `Review this change of the repository ${repo.name}: ${base}...HEAD.`,
          "Read the code around each hunk with read_file before judging it, and find the callers of what changed with search_text. Report defects first, the worst first: path:line, what goes wrong with which input, and how to fix it. Then say what is not tested. Leave out matters of taste.",
          diff === "" ? "There is no difference." : `\`\`\`diff\n${diff.slice(0, MAX_CHARS)}\n\`\`\``,
          ...(cut
            ? [`The diff is cut after ${MAX_CHARS} characters; read the remaining files with read_file.`]
            : []),
        );
      }),
  );
  server.registerPrompt(
    "onboard",
    {
      title: "Get to know a repository",
      description: "Gives the files of a repository and asks for a tour of it.",
      argsSchema: known.repo,
    },
    ({ repo: name }) =>
      calls.run(async () => {
        const repo = await invalid(workspace.find(name));
        const files = [...(await invalid(workspace.files(repo)))].sort();
        const shown = outline(files);
        return message(
          `Give a newcomer a tour of the repository ${repo.name} (${files.length} files).`,
          "Read its README and build files first (read_file), then the entry points that they name, then the largest folders' main files; search_text finds what connects them. Answer with: what it does and for whom; how to build, test and run it; the parts and how they depend on each other; three places to begin reading, each with path:line; what surprised you.",
          `${shown.length < files.length ? "Folders and files" : "Files"}:\n${shown.join("\n")}`,
        );
      }),
  );
}

function message(...paragraphs: string[]) {
  return {
    messages: [{ role: "user" as const, content: { type: "text" as const, text: paragraphs.join("\n\n") } }],
  };
}

/** All paths if they are few, otherwise folders with the number of their files, as deep as the limit permits. */
function outline(files: readonly string[]): string[] {
  if (files.length <= MAX_PATHS) return [...files];
  let best: string[] = [];
  for (let depth = 1; depth < 8; depth++) {
    const counts = new Map<string, number>();
    for (const file of files) {
      const parts = file.split("/");
      const key = parts.length > depth ? `${parts.slice(0, depth).join("/")}/` : file;
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
    if (counts.size > MAX_PATHS && best.length > 0) break;
    best = [...counts].map(([path, n]) => (path.endsWith("/") ? `${path} (${n} files)` : path));
  }
  return best.slice(0, MAX_PATHS);
}

/** The diff, or somewhat more of its beginning than a prompt contains. */
async function difference(root: string, base: string, signal: AbortSignal): Promise<string> {
  if (base.startsWith("-") || /[\0\s:]|\.\./.test(base))
    throw new ToolError(`${JSON.stringify(base)} is not a branch, tag or commit.`);
  const fixed = [
    "diff",
    "--no-color",
    "--no-ext-diff",
    "--no-textconv",
    "--stat",
    "--patch",
    "--end-of-options",
  ];
  // A character has at most four bytes of UTF-8.
  const firstBytes = 4 * (MAX_CHARS + 1);
  const diff = await git(root, [...fixed, `${base}...HEAD`], signal, { firstBytes });
  return diff.toString("utf8").trimEnd();
}

async function revisions(workspace: Workspace, name: string | undefined, start: string): Promise<string[]> {
  const repo = await workspace.find(name).catch(() => undefined);
  if (!repo) return [];
  const listed = await git(repo.root, [
    "for-each-ref",
    "--format=%(refname:short)",
    "refs/heads",
    "refs/tags",
    "refs/remotes",
  ]);
  return listed
    .toString("utf8")
    .split("\n")
    .filter((ref) => ref !== "" && ref.startsWith(start));
}

/** Converts the error of a tool into one about the arguments of the prompt. */
async function invalid<T>(work: Promise<T>): Promise<T> {
  return work.catch((error: Error) => {
    throw error instanceof ToolError
      ? new ProtocolError(ProtocolErrorCode.InvalidParams, error.message)
      : error;
  });
}
