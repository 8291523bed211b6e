import { languageOf } from "../../index/languages.ts";
import { isBelow } from "../../workspace/paths.ts";

/** Why a file or folder has no symbols in the index: languages without a grammar. "" if all of its files have one. */
export function whyNoSymbols(files: Iterable<string>, folder: string, leftOut = 0): string {
  const within = [...files].filter((file) => isBelow(file, folder));
  const without = within.filter((file) => !languageOf(file));
  if (within.length === 0) return "It has no files that git tracks or would track.";
  if (without.length === 0 && leftOut >= within.length)
    return "Its files are not in the index, or without symbols. Use search_text and read_file.";
  if (without.length === 0)
    return "Its files define no symbols at this depth: imports, statements and local variables are none. Use read_file.";
  const endings = Map.groupBy(without, endingOf);
  const most = [...endings].sort((a, b) => b[1].length - a[1].length).slice(0, 5);
  const listed = most.map(([ending, list]) => `${ending} (${list.length})`).join(", ");
  return `Files without a grammar here have no symbols: ${listed}. Use search_text and read_file.`;
}

function endingOf(file: string): string {
  const name = file.slice(file.lastIndexOf("/") + 1);
  const dot = name.lastIndexOf(".");
  return dot > 0 ? name.slice(dot) : name;
}
