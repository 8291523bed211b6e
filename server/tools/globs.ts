import picomatch from "picomatch";
import { ToolError } from "../tool-error.ts";

/**
 * Matches paths, relative to the searched folder, against a glob as models write it: `*.ts` at any depth, `src/**` from the folder,
 * `*.{ts,tsx}`, `!*.test.ts` for all others, and `app/[slug]/*.tsx`. The brackets of the last are a set of characters or, as in
 * the file names of Next.js, literal.
 *
 * @throws ToolError for a text that is not a glob
 */
export function globMatcher(glob: string, { nocase = false } = {}): (path: string) => boolean {
  const negated = glob.startsWith("!") && !glob.startsWith("!(");
  const bare = (negated ? glob.slice(1) : glob).normalize().replace(/^(\.?\/)+/, "");
  if (bare === "" || bare.includes("\0") || bare.split("/").includes(".."))
    throw new ToolError(
      `${JSON.stringify(glob)} is not a valid glob. Use one such as "*.ts", "src/**" or "!*.test.ts".`,
    );
  const rooted = bare.includes("/") ? bare : `**/${bare}`;
  // A folder stands for its contents.
  const pattern = rooted.endsWith("/") ? `${rooted}**` : rooted;
  const patterns = [pattern, pattern.replace(/[[\]()]/g, "\\$&")];
  const matches = picomatch(patterns, { dot: true, strictBrackets: false, nonegate: true, nocase });
  // File names may be in either Unicode form.
  const fits = (path: string) => matches(path.normalize());
  return negated ? (path) => !fits(path) : fits;
}
