import picomatch from "picomatch";
import { ToolError } from "../tool-error.ts";

/**
 * Whether a path, relative to the folder that is looked at, matches a glob as models write them: `*.ts` at any depth, `src/**` from the
 * folder, `*.{ts,tsx}`, `!*.test.ts` for all others, and `app/[slug]/*.tsx`, whose brackets are a set of characters or, as in the
 * names of Next.js, themselves.
 *
 * @throws ToolError when the glob is not one
 */
export function globMatcher(glob: string): (path: string) => boolean {
  const negated = glob.startsWith("!") && !glob.startsWith("!(");
  const bare = (negated ? glob.slice(1) : glob).replace(/^(\.?\/)+/, "");
  if (bare === "" || bare.includes("\0") || bare.split("/").includes(".."))
    throw new ToolError(`${JSON.stringify(glob)} is not a glob; write "*.ts", "src/**" or "!*.test.ts".`);
  const rooted = bare.includes("/") ? bare : `**/${bare}`;
  // A folder means what is in it.
  const pattern = rooted.endsWith("/") ? `${rooted}**` : rooted;
  const patterns = [pattern, pattern.replace(/[[\]()]/g, "\\$&")];
  const matches = picomatch(patterns, { dot: true, strictBrackets: false, nonegate: true });
  return negated ? (path) => !matches(path) : (path) => matches(path);
}
