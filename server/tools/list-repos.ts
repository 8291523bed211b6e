import * as z from "zod";
import { headCommit } from "../index/work-tree.ts";
import { originOf, webAddress } from "../workspace/forge.ts";
import { stateOf } from "../workspace/git/state.ts";
import { git } from "../workspace/git.ts";
import { keptResult } from "../workspace/kept-result.ts";
import { type Ref, refsOf } from "../workspace/refs.ts";
import type { Sync } from "../workspace/sync/sync.ts";
import type { Repository } from "../workspace/workspace.ts";
import { pageFrom } from "./paging.ts";
import { pageArguments, pageOutput, textOrNull } from "./schema.ts";
import { defineTool } from "./tool.ts";

/** Longest list of branches, and of tags. */
const MAX_NAMES = 20;

const input = z.object(pageArguments(100, 200));

const output = z.object({
  repos: z.array(
    z.object({
      name: z.string().describe('The "repo" argument of the other tools.'),
      branch: z.string().describe('Current branch; "" if HEAD is detached.'),
      commit: z.string().describe('Current commit; "" if there is none.'),
      branches: z.array(z.string()).describe(`Branches, newest first; at most ${MAX_NAMES}.`),
      tags: z.array(z.string()).describe(`Tags, newest first; at most ${MAX_NAMES}.`),
      url: textOrNull("Web page of the remote."),
      index: z
        .enum(["none", "building", "ready", "updating", "failed"])
        .describe("State of the symbol index."),
      sync: z
        .object({
          state: z.enum(["waiting", "cloning", "fetching", "ready", "failed"]),
          percent: z.int().optional(),
          at: z.string().optional().describe("Last successful fetch."),
          reason: z.string().optional(),
        })
        .nullable()
        .describe("State of the copy of a remote; null if it is not a copy."),
    }),
  ),
  ...pageOutput,
  note: z.string().optional(),
});

async function branchOf(repo: Repository, signal: AbortSignal): Promise<string> {
  const state = await stateOf(repo.root, signal).catch(() => undefined);
  if (state?.branch !== undefined) return state.branch;
  const args = ["symbolic-ref", "--quiet", "--short", "HEAD"];
  const key = state?.refsKey && `branch\0${state.refsKey}`;
  const output = await keptResult(key, signal, async (shared) =>
    (await git(repo.root, args, shared)).toString(),
  ).catch(() => "");
  return output.trim();
}

/** Branches of a remote have its name only if the copy has no branch of its own with that name. */
function namesOf(refs: readonly Ref[], ...kinds: readonly Ref["kind"][]): string[] {
  const own = new Set(refs.filter(({ kind }) => kind === "heads").map(({ short }) => short));
  return refs
    .filter(
      ({ kind, short }) =>
        kinds.includes(kind) && !(kind === "remotes" && own.has(short.replace(/^[^/]+\//, ""))),
    )
    .slice(0, MAX_NAMES)
    .map(({ short }) => short);
}

function noRepositories(sync: Sync | undefined): string {
  // Names of repositories that the caller may not see must not be told.
  return (sync?.describe() ?? "") === ""
    ? "The workspace has no git repository, or none that you may see."
    : "There is no repository that you may see. Copies of remotes may still be in progress: call again in a minute.";
}

export const listRepos = defineTool({
  name: "list_repos",
  title: "List repositories",
  description:
    "Lists the git repositories of the workspace with their branch, commit, web page and index state.",
  scope: "code:read",
  needs: ["git"],
  input,
  output,
  text: ({ repos }) => repos.map(repoLine).join("\n"),
  async run(args, { workspace, index, sync, signal }) {
    const all = await workspace.repositories();
    const repos = await Promise.all(
      all.slice(args.offset, args.offset + args.max_results).map(async (repo) => {
        const [commit, branch, origin, refs] = await Promise.all([
          headCommit(repo.root, signal),
          branchOf(repo, signal),
          originOf(repo, signal),
          refsOf(repo, signal).catch(() => []),
        ]);
        const url = (origin && webAddress(origin)) ?? null;
        return {
          name: repo.name,
          branch,
          commit,
          branches: namesOf(refs, "heads", "remotes"),
          tags: namesOf(refs, "tags"),
          url,
          index: index.state(repo).state,
          sync: sync?.state(repo.name) ?? null,
        };
      }),
    );
    signal.throwIfAborted();
    const { items, ...rest } = pageFrom(repos, args, args.offset + repos.length < all.length);
    return { repos: items, ...rest, ...(all.length === 0 ? { note: noRepositories(sync) } : {}) };
  },
});

function repoLine({
  name,
  branch,
  commit,
  branches,
  tags,
  url,
  index,
  sync,
}: z.output<typeof output>["repos"][number]) {
  return [
    name,
    commit === "" ? "no commits" : `${branch === "" ? "detached" : branch} at ${commit.slice(0, 12)}`,
    `index: ${index}`,
    ...(sync ? [`copy: ${sync.state}${sync.reason === undefined ? "" : ` (${sync.reason})`}`] : []),
    ...(branches.length > 1 ? [`branches: ${branches.join(", ")}`] : []),
    ...(tags.length > 0 ? [`tags: ${tags.join(", ")}`] : []),
    ...(url === null ? [] : [url]),
  ].join("  ");
}
