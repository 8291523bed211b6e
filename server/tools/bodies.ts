import { beginning, sizeOfText } from "../answer-size.ts";
import { TreeReader } from "../index/work-tree.ts";
import type { Repository } from "../workspace/workspace.ts";
import type { ToolContext } from "./tool.ts";

/** Longest source of one symbol, characters. */
const MAX_BODY = 12_000;

/** Adds the source of each symbol, read from the work tree, up to `maxChars` in all. A file that is no longer served gives none. */
export async function bodies<
  T extends { path: string; start_line: number; end_line: number; signature: string },
>(
  { workspace, signal, progress }: ToolContext,
  repo: Repository,
  symbols: readonly T[],
  maxChars: number,
): Promise<(T & { body?: string })[]> {
  const reader = new TreeReader(repo.root);
  const served = await workspace.files(repo);
  let left = maxChars;
  const done: (T & { body?: string })[] = [];
  for (const symbol of symbols) {
    signal.throwIfAborted();
    progress?.(done.length, symbols.length, `reading ${symbol.path}`);
    const text = left > 0 && served.has(symbol.path) ? await reader.read(symbol.path) : undefined;
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
