import * as z from "zod";
import { headCommit } from "../index/work-tree.ts";
import { jsonText } from "../json-text.ts";
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
    const { repo: name, path, from, to } = parseId(id);
    const repo = await workspace.find(name);
    const file = await servedText(workspace, repo, path, signal);
    if (file.text === undefined) throw new ToolError(`${JSON.stringify(path)} is a binary file, not text.`);
    const { total_lines, end_line, text } = cut(file.text, { from, to }, MAX_CHARS);
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
        next: end_line < total_lines ? `${repo.name}:${file.given}#L${end_line + 1}-L${total_lines}` : "",
      },
    };
  },
});

/** @throws ToolError for a text that is not an id of search */
export function parseId(id: string): { repo: string; path: string; from: number; to: number | undefined } {
  const parts = /^([^:]{1,255}):([\s\S]+?)(?:#L(\d{1,8})(?:-L(\d{1,8}))?)?$/.exec(id);
  if (!parts)
    throw new ToolError(
      `${JSON.stringify(id)} is not an id of search. Use an id that search returned, such as "repo:path#L10-L40".`,
    );
  const [, repo = "", path = "", from, to] = parts;
  return { repo, path, from: Math.max(1, Number(from ?? 1)), to: to === undefined ? undefined : Number(to) };
}
