import picomatch from "picomatch";
import { ToolError } from "../tool-error.ts";
import { isBelow } from "./paths.ts";

/** The globs in a text with commas between them: `*.ts, !*.test.ts`. A comma in braces belongs to the glob. */
function globsIn(text: string): string[] {
  const globs = text
    .split(/,(?![^{]*\})/)
    .map((glob) => glob.trim())
    .filter((glob) => glob !== "");
  return globs.length === 0 ? [text] : globs;
}

type Matches = (path: string) => boolean;

/**
 * Matches paths, relative to the searched folder, against a glob as models write it: `*.ts` at any depth, `src/**` from the folder,
 * `*.{ts,tsx}`, `!*.test.ts` for all others, and `app/[slug]/*.tsx`. The brackets of the last are a set of characters or, as in
 * the file names of Next.js, literal. A folder stands for its contents. With commas between them it is several, see globFilter.
 *
 * @throws ToolError for a text that is not a glob
 */
export function globMatcher(glob: string, options: { nocase?: boolean } = {}): Matches {
  const globs = globsIn(glob);
  if (globs.length < 2) return matcherOf(glob, options);
  const fits = chosenBy(
    globs.map((one) => ({ one, matches: matcherOf(one.replace(/^!(?!\()/, ""), options) })),
  );
  const whole = isExclusion(glob) ? undefined : matcherOf(glob, options);
  return (path) => fits(path) || whole?.(path) === true;
}

/** Of a single glob. */
function matcherOf(glob: string, { nocase = false }: { nocase?: boolean }): Matches {
  const negated = isExclusion(glob);
  const bare = (negated ? glob.slice(1) : glob)
    .normalize()
    .trim()
    .replace(/^(\.?\/)+/, "")
    .replace(/(?<!\\)\/{2,}/g, "/");
  if (bare === "" || bare.includes("\0") || bare.split("/").includes(".."))
    throw new ToolError(
      `${JSON.stringify(glob)} is not a valid glob. Use one such as "*.ts", "src/**" or "!*.test.ts".`,
    );
  const rooted = bare.includes("/") ? bare : `**/${bare}`;
  const matches = picomatch(patternsOf(rooted), { dot: true, strictBrackets: false, nonegate: true, nocase });
  // File names may be in either Unicode form. `**` matches no line break.
  const fits = (path: string) => matches(path.normalize().replaceAll("\n", " "));
  return negated ? (path) => !fits(path) : fits;
}

/** `!(a|b)` is a pattern that matches, not an exclusion. */
const isExclusion = (glob: string) => glob.startsWith("!") && !glob.startsWith("!(");

/** What a glob may mean. */
function patternsOf(rooted: string): string[] {
  if (rooted.endsWith("/")) return [`${rooted}**`];
  const last = rooted.slice(rooted.lastIndexOf("/") + 1);
  const patterns = [
    rooted.replaceAll("[!", "[^"),
    rooted.replace(/[[\]()]/g, "\\$&"),
    // Braces around one choice are no braces for picomatch.
    ...(/\{[^{},.]*\}/.test(rooted) ? [rooted.replace(/\{([^{},.]*)\}/g, "$1")] : []),
  ];
  // A folder stands for its contents.
  return /[*?[{(]/.test(last) ? patterns : [...patterns, ...patterns.map((pattern) => `${pattern}/**`)];
}

/**
 * Which files several globs choose: those that match one of them, or all if each is an exclusion (`!*.test.ts`), without the excluded ones,
 * in any order. They are relative to the searched folder or to the root of the repository.
 *
 * @param folder the searched folder or file, relative to the repository. A file is chosen whatever the globs are
 * @throws ToolError for a text that is not a glob
 */
export function globFilter(globs: readonly string[], folder: string): Matches {
  if (globs.length === 0) return () => true;
  const start = folder === "" ? 0 : folder.length + 1;
  const matcher = (glob: string): Matches => {
    const matches = matcherOf(glob, {});
    return start === 0
      ? matches
      : (path) => matches(path) || (isBelow(path, folder) && matches(path.slice(start)));
  };
  const fits = chosenBy(
    globs.map((one) => ({ one, matches: matcher(isExclusion(one) ? one.slice(1) : one) })),
  );
  return (path) => path === folder || fits(path);
}

function chosenBy(globs: readonly { one: string; matches: Matches }[]): Matches {
  const included = globs.filter(({ one }) => !isExclusion(one));
  const excluded = globs.filter(({ one }) => isExclusion(one));
  return (path) =>
    (included.length === 0 || included.some(({ matches }) => matches(path))) &&
    !excluded.some(({ matches }) => matches(path));
}
