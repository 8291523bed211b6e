import { beginning, sizeOfText } from "../answer-size.ts";
import { TreeReader } from "../index/work-tree.ts";
import type { Repository } from "../workspace/workspace.ts";
import type { ToolContext } from "./tool.ts";

/** Longest source that is given of one symbol, characters. */
const MAX_BODY = 12_000;

/** Adds the source of each symbol, read from the work tree, until `maxChars` are taken; files that are no longer shown get none. */
export async function bodies<
  T extends { path: string; start_line: number; end_line: number; signature: string },
>(
  { workspace, signal }: ToolContext,
  repo: Repository,
  symbols: readonly T[],
  maxChars: number,
): Promise<(T & { body?: string })[]> {
  const reader = new TreeReader(repo.root);
  const shown = await workspace.files(repo);
  let left = maxChars;
  const done: (T & { body?: string })[] = [];
  for (const symbol of symbols) {
    signal.throwIfAborted();
    const text = left > 0 && shown.has(symbol.path) ? await reader.read(symbol.path) : undefined;
    if (text === undefined) {
      done.push(symbol);
      continue;
    }
    const whole = text
      .split("\n")
      .slice(symbol.start_line - 1, symbol.end_line)
      .join("\n");
    const kept = beginning(whole, MAX_BODY);
    const body = kept === whole ? whole : `${kept}…`;
    left -= sizeOfText(body);
    done.push({ ...symbol, body });
  }
  return done;
}
