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
    const { repo, revision, path, from, to, column } = plainPath(value);
    args[name] = path;
    set("repo", repo);
    if (name !== "path") continue;
    set("revision", revision);
    set("column", column);
    set(schema.properties.start_line ? "start_line" : "line", from);
    set("end_line", to);
  }
  return args;
}

interface PlainPath {
  readonly repo?: string;
  /** A hash in the address of a web page. A branch in it may not be one of this copy. */
  readonly revision?: string;
  readonly path: string;
  readonly from?: number;
  readonly to?: number;
  readonly column?: number;
}

/** The lines after a path: `:12`, `:12:5`, `:12-20`, `#L3-L9`, `(12,5)`. */
const PLACE =
  /(?::(\d{1,9})(?:-(\d{1,9})|:(\d{1,9}))?:?|#L(\d{1,9})(?:C\d+)?(?:-L?(\d{1,9})(?:C\d+)?)?|\((\d{1,9})(?:,\s?(\d{1,9}))?\):?)$/;
/** Pages of GitHub, GitLab, Gitea and Bitbucket, and raw files. */
const PAGE =
  /^https?:\/\/(?:raw\.githubusercontent\.com\/[^/]+\/([^/]+)\/(?:refs\/heads\/)?([^/]+)\/|[^/]+\/(?:[^/]+\/)+?([^/]+?)(?:\.git)?\/(?:-\/)?(?:blob|tree|raw|blame|edit|src)\/(?:branch\/|commit\/)?([^/]+)\/)(.+?)(?:\?.*)?$/i;

/** The parts of a path. Pure: it does not look whether the file exists. */
function plainPath(text: string): PlainPath {
  const lines = PLACE.exec(text);
  const bare = lines ? text.slice(0, lines.index) : text;
  const [, line, last, column, anchor, lastAnchor, parenthesis, parenthesisColumn] =
    (bare !== "" && lines) || [];
  const place = {
    ...numbered("from", line ?? anchor ?? parenthesis),
    ...numbered("to", last ?? lastAnchor),
    ...numbered("column", column ?? parenthesisColumn),
  };
  const plain = lines && bare !== "" ? bare : text;
  const page = PAGE.exec(plain);
  if (page) {
    const [, rawRepo, rawRef, repo = rawRepo, ref = rawRef, path = ""] = page;
    const isHash = /^[0-9a-f]{7,64}$/.test(ref ?? "");
    return {
      ...(repo ? { repo } : {}),
      ...(isHash && ref ? { revision: ref } : {}),
      path: relative(decoded(path)),
      ...place,
    };
  }
  const uri = /^(repo|file):\/\/([^/]*)(\/.*)?$/is.exec(plain);
  if (!uri) return { path: relative(plain), ...place };
  const [, scheme, host = "", rest = ""] = uri;
  const repo = scheme?.toLowerCase() === "repo" && host !== "" ? { repo: decoded(host) } : {};
  return { ...repo, path: relative(decoded(rest)), ...place };
}

const numbered = (name: "from" | "to" | "column", digits: string | undefined) =>
  digits === undefined ? {} : { [name]: Number(digits) };

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
