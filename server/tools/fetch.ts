import * as z from "zod";
import { headCommit } from "../index/work-tree.ts";
import { jsonText } from "../json/text.ts";
import { ToolError } from "../tool-error.ts";
import { citation, forgeOf, originOf } from "../workspace/forge.ts";
import { servedText } from "../workspace/served-file.ts";
import { cut } from "./text-lines.ts";
import { defineTool } from "./tool.ts";

const MAX_CHARS = 50_000;

const input = z.object({
  id: z
    .string()
    .min(1)
    .max(4_500)
    .describe('An id that search returned: "repo:path", or "repo:path#L10-L40" for a range of lines.'),
});

const output = z.object({
  id: z.string(),
  title: z.string(),
  text: z.string(),
  url: z.string(),
  metadata: z
    .object({
      repo: z.string(),
      path: z.string(),
      commit: z.string(),
      start_line: z.string(),
      end_line: z.string(),
      total_lines: z.string(),
      next: z.string().describe('id of the lines that follow; "" at the end of the file.'),
    })
    .optional(),
});

/** The input and output that ChatGPT requires of a tool named `fetch`. */
export const fetchDocument = defineTool({
  name: "fetch",
  title: "Fetch a search result",
  description: "Returns the text of a result of search, with its URL for citations.",
  scope: "code:read",
  onlyFor: "chatgpt",
  needs: ["git"],
  input,
  output,
  text: jsonText,
  async run({ id }, { workspace, signal }) {
    const { repo: name, path, from, to, column } = parseId(id);
    const repo = await workspace.find(name);
    const file = await servedText(workspace, repo, path, signal);
    if (file.text === undefined) throw new ToolError(`${JSON.stringify(path)} is a binary file, not text.`);
    const { total_lines, end_line, text, next_line, next_column } = cut(
      file.text,
      { from, to, column },
      MAX_CHARS,
    );
    const [commit, origin] = await Promise.all([headCommit(repo.root, signal), originOf(repo, signal)]);
    const forge = origin === undefined ? undefined : forgeOf(origin);
    const last = Math.max(from, end_line);
    return {
      id,
      title: `${repo.name}/${file.given}:${from}`,
      text,
      url: citation({ repo: repo.name, path: file.given, from, to: last }, forge, commit),
      metadata: {
        repo: repo.name,
        path: file.given,
        commit,
        start_line: String(from),
        end_line: String(end_line),
        total_lines: String(total_lines),
        next: nextId(`${repo.name}:${file.given}`, next_line ?? end_line + 1, next_column, total_lines),
      },
    };
  },
});

/** The id of what follows; "" at the end of the file. A long line goes on at a column, as in the addresses of GitHub (`#L1C50001-L9`). */
function nextId(file: string, line: number, column: number | null, total: number): string {
  if (line > total) return "";
  return `${file}#L${line}${column === null ? "" : `C${column}`}-L${total}`;
}

interface DocumentId {
  readonly repo: string;
  readonly path: string;
  readonly from: number;
  readonly to: number | undefined;
  /** First character of the first line, 1-based. */
  readonly column: number;
}

/** @throws ToolError for a text that is not an id of search */
export function parseId(id: string): DocumentId {
  const parts = /^([^:]{1,255}):([\s\S]+?)(?:#L(\d{1,8})(?:C(\d{1,9}))?(?:-L(\d{1,8})(?:C\d+)?)?)?$/.exec(id);
  if (!parts)
    throw new ToolError(
      `${JSON.stringify(id)} is not an id of search. Use an id that search returned, such as "repo:path#L10-L40".`,
    );
  const [, repo = "", path = "", from, column, to] = parts;
  return {
    repo,
    path,
    from: Math.max(1, Number(from ?? 1)),
    to: to === undefined ? undefined : Number(to),
    column: Math.max(1, Number(column ?? 1)),
  };
}
