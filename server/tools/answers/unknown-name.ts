import type { Repository } from "../../workspace/workspace.ts";
import type { ToolContext } from "../tool.ts";

/** Why no definition has a name, and what to try. */
export async function unknownName(context: ToolContext, repo: Repository, name: string): Promise<string[]> {
  const job = { name, match: "exact", kinds: [], path: "" } as const;
  const { near } = await context.index.query("findSymbol", repo, job, context);
  return [
    `Nothing in the index is named ${JSON.stringify(name)}.`,
    near.length > 0 ? `Similar names: ${near.join(", ")}.` : "",
    "search_text also finds it in comments, strings and files without a grammar.",
  ];
}
