import * as z from "zod";
import { headCommit } from "../index/work-tree.ts";
import { originOf, webAddress } from "../workspace/forge.ts";
import { git } from "../workspace/git.ts";
import { pageFrom } from "./paging.ts";
import { pageArguments, pageOutput, textOrNull } from "./schema.ts";
import { defineTool } from "./tool.ts";

const input = z.object(pageArguments(100, 200));

const output = z.object({
  repos: z.array(
    z.object({
      name: z.string().describe('The "repo" argument of the other tools.'),
      branch: z.string().describe('Current branch; "" if HEAD is detached.'),
      commit: z.string().describe('Current commit; "" if there is none.'),
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
});

export const listRepos = defineTool({
  name: "list_repos",
  title: "List repositories",
  description:
    "Lists the git repositories of the workspace with their branch, commit, web page and index state.",
  scope: "code:read",
  needs: ["git"],
  input,
  output,
  async run(args, { workspace, index, sync, signal }) {
    const all = await workspace.repositories();
    const repos = await Promise.all(
      all.slice(args.offset, args.offset + args.max_results).map(async (repo) => {
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
    const { items, ...rest } = pageFrom(repos, args, args.offset + repos.length < all.length);
    return { repos: items, ...rest };
  },
});
