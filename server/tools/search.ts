import * as z from "zod";
import type { SearchHit } from "../index/queries/search.ts";
import { jsonText } from "../json/text.ts";
import { ToolError } from "../tool-error.ts";
import { citation, forgeOf, originOf } from "../workspace/forge.ts";
import type { Repository } from "../workspace/workspace.ts";
import { fitting } from "./paging.ts";
import { defineTool, type ToolContext } from "./tool.ts";

const MAX_RESULTS = 20;
const MAX_CHARS = 40_000;

const input = z.object({
  query: z.string().min(1).max(1_000).describe("Words, names or a question about the code."),
});

const output = z.object({
  results: z.array(
    z.object({
      id: z.string().describe("Argument of fetch."),
      title: z.string(),
      url: z.string().describe("Web page of the lines, for citations."),
    }),
  ),
  note: z.string().optional().describe("Why there are no results."),
});

/** The input and output that ChatGPT (company knowledge, deep research) requires: no other argument, no other field. */
export const search = defineTool({
  name: "search",
  title: "Search all repositories",
  description:
    "Searches the code of all repositories by words, names or a question. Returns ids for fetch. For exact text use search_text.",
  scope: "code:read",
  onlyFor: "chatgpt",
  needs: ["git", "index"],
  input,
  output,
  text: jsonText,
  async run({ query }, context) {
    const all = await context.workspace.repositories();
    let searched = 0;
    const results = await Promise.all(
      all.map(async (repo) => {
        const result = await searchOne(context, repo, query);
        context.progress?.(++searched, all.length, `searched ${repo.name}`);
        return result;
      }),
    );
    context.signal.throwIfAborted();
    const errors = results.filter((result) => result instanceof ToolError);
    if (errors[0] && errors.length === all.length) throw errors[0];
    const hits = results.flatMap((result) => (result instanceof ToolError ? [] : result.hits));
    hits.sort((a, b) => b.score - a.score);
    const found = fitting(
      hits.slice(0, MAX_RESULTS).map((hit) => hit.result),
      MAX_CHARS,
    );
    return { results: found, ...(found.length === 0 ? { note: whyNothing(all, results) } : {}) };
  },
});

/** ChatGPT requires the field `results` alone, but for an empty list the reason is worth more. */
function whyNothing(all: readonly Repository[], results: readonly (Searched | ToolError)[]): string {
  if (all.length === 0) return "There is no repository that you may see.";
  const refused = results.flatMap((result) => (result instanceof ToolError ? [result.message] : []));
  const searched = all.length - refused.length;
  const without = results.flatMap((result) => (result instanceof ToolError ? [] : [result.leftOut]));
  const examples = without.flatMap((leftOut) => leftOut.examples);
  const files = without.reduce((sum, leftOut) => sum + leftOut.files, 0);
  return [
    `No passage of ${searched} ${searched === 1 ? "repository" : "repositories"} has these words. Use fewer or other words, or names as they are in the code.`,
    ...(files > 0
      ? [
          `Not searched: ${files} files, such as ${examples.slice(0, 5).join(", ")}; search_text searches them.`,
        ]
      : []),
    ...refused,
  ].join(" ");
}

interface Searched {
  readonly hits: { score: number; result: { id: string; title: string; url: string } }[];
  /** Files that the index does not have. */
  readonly leftOut: { readonly files: number; readonly examples: readonly string[] };
}

async function searchOne(
  context: ToolContext,
  repo: Repository,
  query: string,
): Promise<Searched | ToolError> {
  try {
    const { hits, commit, left_out } = await context.index.query(
      "search",
      repo,
      { query, limit: MAX_RESULTS },
      { signal: context.signal },
    );
    // The result has no field for this.
    if (left_out.files > 0)
      context.log?.(
        "info",
        `${repo.name}: ${left_out.files} files are not in the index, such as ${left_out.examples.join(", ")}`,
      );
    const served = await context.workspace.files(repo);
    const origin = await originOf(repo, context.signal);
    const forge = origin === undefined ? undefined : forgeOf(origin);
    return {
      hits: hits
        .filter((hit) => served.has(hit.path))
        .map((hit) => ({
          score: hit.score,
          result: { ...naming(repo, hit), url: citation(place(repo, hit), forge, commit) },
        })),
      leftOut: left_out,
    };
  } catch (error) {
    if (error instanceof ToolError) return error;
    throw error;
  }
}

function naming(repo: Repository, hit: SearchHit): { id: string; title: string } {
  return {
    id: `${repo.name}:${hit.path}#L${hit.start_line}-L${hit.end_line}`,
    title: `${repo.name}/${hit.path}:${hit.start_line} ${hit.title}`,
  };
}

const place = (repo: Repository, hit: SearchHit) => ({
  repo: repo.name,
  path: hit.path,
  from: hit.start_line,
  to: hit.end_line,
});
