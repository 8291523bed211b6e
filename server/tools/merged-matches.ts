import type { Match } from "./ripgrep-json.ts";

/** The result of one run of a search. If it is truncated, it has the first matches in the order of the paths. */
export interface Part {
  matches: readonly Match[];
  truncated: boolean;
}

/** The first `max` matches of several runs over different files, in the order of `--sort=path`. */
export function merged(parts: readonly Part[], max: number): { matches: Match[]; truncated: boolean } {
  const all = parts.flatMap((part) => part.matches).sort(byPlace);
  // A truncated run lacks matches beyond its last one, so those of the other runs there are not complete either.
  const ends = parts.flatMap((part) => (part.truncated ? [[...part.matches].sort(byPlace).at(-1)] : []));
  const complete = all.filter((match) => ends.every((end) => end !== undefined && byPlace(match, end) <= 0));
  return {
    matches: complete.slice(0, max),
    truncated: complete.length < all.length || complete.length > max || ends.length > 0,
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
