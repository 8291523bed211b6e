import type { Match } from "./ripgrep-json.ts";

/** What one run of a search found; when it is truncated, its matches are the first in the order of the paths. */
export interface Part {
  matches: readonly Match[];
  truncated: boolean;
}

/** The first `max` matches of several runs over different files, in the order of `--sort=path`. */
export function merged(parts: readonly Part[], max: number): { matches: Match[]; truncated: boolean } {
  const all = parts.flatMap((part) => part.matches).sort(byPlace);
  // Beyond the last match of a run that was cut, matches of its own are missing.
  const ends = parts.flatMap((part) => (part.truncated ? [[...part.matches].sort(byPlace).at(-1)] : []));
  const sure = all.filter((match) => ends.every((end) => end !== undefined && byPlace(match, end) <= 0));
  return {
    matches: sure.slice(0, max),
    truncated: sure.length < all.length || sure.length > max || ends.length > 0,
  };
}

const byPlace = (a: Match, b: Match) => byPath(a.path, b.path) || a.line - b.line;

/** The order of `--sort=path`: folder by folder, each by name. */
function byPath(a: string, b: string): number {
  if (a === b) return 0;
  const one = a.split("/");
  const other = b.split("/");
  for (const [n, part] of one.entries()) {
    const against = other[n] ?? "";
    if (part !== against) return part < against ? -1 : 1;
  }
  return -1;
}
