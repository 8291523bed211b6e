import { jsonText } from "../../json/text.ts";
import type { Noted, Tool } from "../tool.ts";
import { placeLines } from "./places.ts";
import { describeSource } from "./source.ts";

type Result = Readonly<Record<string, unknown>> & Noted;

/**
 * The result of a tool as text, for models and for clients without structured content. Places are `path:line: text`. The last lines say how
 * to get the rest, why something may be missing, and from which state of the repository the result is.
 */
export function answerText(tool: Pick<Tool, "text">, result: Result): string {
  const { note, source, repo, index } = result;
  const lines = [tool.text ? tool.text(result as never) : bodyOf(result)];
  if (tool.text === undefined || "next_offset" in result) lines.push(...restOf(result));
  if (index !== undefined) lines.push(...indexLines(index));
  if (note !== undefined) lines.push(`Note: ${note}`);
  if (source && typeof repo === "string") lines.push(`[${describeSource(repo, source)}]`);
  return lines.length === 1 ? (lines[0] ?? "") : lines.filter((line) => line !== "").join("\n");
}

/** Texts of a result as they are, and lists of places one on a line. Anything else is JSON. */
function bodyOf(result: Result): string {
  const lists = Object.entries(result).filter((entry): entry is [string, unknown[]] =>
    Array.isArray(entry[1]),
  );
  if (lists.length === 0) return jsonText(result);
  const filled = lists.filter(([, items]) => items.length > 0);
  const lines =
    filled.length === 0
      ? [`No ${lists[0]?.[0]}.`]
      : filled.flatMap(([name, items]) => [
          ...(filled.length > 1 ? [`${name}:`] : []),
          ...items.flatMap(placeLines),
        ]);
  return lines.join("\n");
}

function restOf({ total, truncated, next_offset, timed_out, partial }: Result): string[] {
  const lines: string[] = [];
  if (timed_out === true) lines.push("The search was stopped by its time limit. Narrow it by path.");
  if (partial === true) lines.push("Not all candidates were read. Narrow the search by path.");
  if (typeof next_offset === "number")
    lines.push(
      `More: call again with "offset": ${next_offset}${typeof total === "number" ? ` (${total} in all)` : ""}.`,
    );
  else if (truncated === true)
    lines.push("There are more results than can be paged through. Narrow the search.");
  return lines;
}

function indexLines(index: unknown): string[] {
  if (typeof index !== "object" || index === null) return [];
  const { state, left_out } = index as { state?: string; left_out?: { files: number; examples?: string[] } };
  return [
    ...(state === "updating" ? ["The index is being updated: the newest changes may be missing."] : []),
    ...(left_out
      ? [
          left_out.examples
            ? `Not in the index: ${left_out.files} files, such as ${left_out.examples.join(", ")}.`
            : `${left_out.files} files are not in the index.`,
        ]
      : []),
  ];
}
