import type { Arguments, InputSchema } from "./input-schema.ts";

/** Arguments that are paths in a repository. */
export const PATH_ARGUMENTS: ReadonlySet<string> = new Set(["path", "defined_in"]);

/**
 * Paths as models copy them from links, other tools and error messages: `repo://NAME/src/a.ts`, `file:///src/a.ts`, `src/a.ts:12`,
 * `src/a.ts#L3-L9`, `./src/`. The repository and the lines in them count as the arguments of those names, if these are missing.
 */
export function withPlainPaths(given: Arguments, schema: InputSchema): Arguments {
  const args = { ...given };
  const set = (name: string, value: unknown) => {
    if (value !== undefined && schema.properties?.[name] && (args[name] ?? "") === "") args[name] = value;
  };
  for (const name of PATH_ARGUMENTS) {
    const value = args[name];
    if (typeof value !== "string" || !schema.properties?.[name]) continue;
    const { repo, path, from, to } = plainPath(value);
    args[name] = path;
    set("repo", repo);
    if (name !== "path") continue;
    set(schema.properties.start_line ? "start_line" : "line", from);
    set("end_line", to);
  }
  return args;
}

/** The parts of a path. Pure: it does not look whether the file exists. */
function plainPath(text: string): { repo?: string; path: string; from?: number; to?: number } {
  const lines = /(?::(\d{1,9})(?:-(\d{1,9})|:\d{1,9})?:?|#L(\d{1,9})(?:-L?(\d{1,9}))?)$/.exec(text);
  const bare = lines ? text.slice(0, lines.index) : text;
  const range = lines && bare !== "" ? { from: lines[1] ?? lines[3], to: lines[2] ?? lines[4] } : undefined;
  const numbers = {
    ...(range?.from === undefined ? {} : { from: Number(range.from) }),
    ...(range?.to === undefined ? {} : { to: Number(range.to) }),
  };
  const place = range ? bare : text;
  const uri = /^(repo|file):\/\/([^/]*)(\/.*)?$/is.exec(place);
  if (!uri) return { path: relative(place), ...numbers };
  const [, scheme, host = "", rest = ""] = uri;
  const repo = scheme?.toLowerCase() === "repo" && host !== "" ? { repo: decoded(host) } : {};
  return { ...repo, path: relative(decoded(rest)), ...numbers };
}

/** Without `./` and `/` before and after it. An absolute path of the server itself is the business of insidePath. */
const relative = (path: string) =>
  path === "." ? "" : path.replace(/^(?:\.\/+)+/, "").replace(/(?<=[^/])\/+$/, "");

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
