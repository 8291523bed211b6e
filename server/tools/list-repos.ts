import * as z from "zod";
import { headCommit } from "../index/work-tree.ts";
import { originOf, webAddress } from "../workspace/forge.ts";
import { git } from "../workspace/git.ts";
import { page } from "./paging.ts";
import { maxAnswerChars, maxResults, offsetArgument, pageOutput, textOrNull } from "./schema.ts";
import { defineTool } from "./tool.ts";

const input = z.object({
  offset: offsetArgument,
  max_results: maxResults(100, 200),
  max_answer_chars: maxAnswerChars,
});

const output = z.object({
  repos: z.array(
    z.object({
      name: z.string().describe('What the other tools take as "repo".'),
      branch: z.string().describe('The branch that is checked out, "" for none.'),
      commit: z.string().describe('The commit that is checked out, "" before the first one.'),
      url: textOrNull("Its page, when it was cloned from a known address."),
      index: z
        .enum(["none", "building", "ready", "updating", "failed"])
        .describe("Where its symbol index stands."),
      sync: z
        .object({
          state: z.enum(["waiting", "cloning", "fetching", "ready", "failed"]),
          percent: z.int().optional(),
          at: z.string().optional().describe("When its remote was last reached."),
          reason: z.string().optional(),
        })
        .nullable()
        .describe("Where the copy of its remote stands; null when the server keeps none."),
    }),
  ),
  ...pageOutput,
});

export const listRepos = defineTool({
  name: "list_repos",
  title: "List repositories",
  description:
    "Lists the git repositories of the workspace with branch, commit, web address and the state of their index.",
  scope: "code:read",
  needs: ["git"],
  input,
  output,
  async run({ offset, max_results, max_answer_chars }, { workspace, index, sync, signal }) {
    const all = await workspace.repositories();
    const repos = await Promise.all(
      all.slice(offset, offset + max_results).map(async (repo) => {
        const [commit, branch, origin] = await Promise.all([
          headCommit(repo.root, signal),
          git(repo.root, ["symbolic-ref", "--quiet", "--short", "HEAD"], signal).catch(() => ""),
          originOf(repo, signal),
        ]);
        const url = (origin && webAddress(origin)) ?? null;
        return {
          name: repo.name,
          branch: branch.toString().trim(),
          commit,
          url,
          index: index.state(repo).state,
          sync: sync?.state(repo.name) ?? null,
        };
      }),
    );
    signal.throwIfAborted();
    const { items, truncated, next_offset } = page(
      repos,
      0,
      max_results,
      max_answer_chars,
      offset + repos.length < all.length,
    );
    return { repos: items, truncated, next_offset: next_offset === null ? null : offset + next_offset };
  },
});
