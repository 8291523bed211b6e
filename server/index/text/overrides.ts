type Glob = { readonly matches: RegExp; readonly excludes: boolean; readonly onlyFolders: boolean };

/**
 * Which files ripgrep searches with `--glob`, where the globs are simple. The rules are those of gitignore(5) with the meaning reversed, and
 * the last glob that matches a file, or a folder above it, decides (the crate `ignore`, overrides.rs).
 *
 * @param folder the folder that is searched. Itself and the folders above it are not compared with the globs
 * @returns undefined for globs with other syntax, which only ripgrep understands
 */
export function overrideFilter(
  globs: readonly string[],
  folder: string,
): ((path: string) => boolean) | undefined {
  if (globs.length === 0) return () => true;
  const parsed = globs.map(parseGlob);
  if (parsed.some((glob) => glob === undefined)) return undefined;
  const all = (parsed as Glob[]).toReversed();
  const onlyIncluded = all.some(({ excludes }) => !excludes);
  const start = folder === "" ? 0 : folder.length + 1;
  const excluded = new Map<string, boolean>();
  const decides = (path: string, isFolder: boolean) =>
    all.find(({ matches, onlyFolders }) => (isFolder || !onlyFolders) && matches.test(path));
  const isExcluded = (path: string): boolean => {
    if (path.length < start || path === "") return false;
    let known = excluded.get(path);
    if (known === undefined) {
      known = isExcluded(parentOf(path)) || decides(path, true)?.excludes === true;
      excluded.set(path, known);
    }
    return known;
  };
  return (path) => {
    if (isExcluded(parentOf(path))) return false;
    const decision = decides(path, false);
    return decision ? !decision.excludes : !onlyIncluded;
  };
}

const parentOf = (path: string) => path.slice(0, Math.max(0, path.lastIndexOf("/")));

function parseGlob(glob: string): Glob | undefined {
  if (/^[#\\]|[\\?[]|\s$|^!?$/.test(glob)) return undefined;
  const excludes = glob.startsWith("!");
  const bare = excludes ? glob.slice(1) : glob;
  const rooted = bare.startsWith("/");
  const onlyFolders = bare.endsWith("/");
  const line = bare.slice(rooted ? 1 : 0, onlyFolders ? -1 : undefined);
  if (line === "" || line.split("/").includes("")) return undefined;
  const anywhere = !rooted && !line.includes("/") && line !== "**";
  const source = sourceOf(`${anywhere ? "**/" : ""}${line}${line.endsWith("/**") ? "/*" : ""}`);
  return source === undefined
    ? undefined
    : { matches: new RegExp(`^${source}$`, "s"), excludes, onlyFolders };
}

function sourceOf(glob: string): string | undefined {
  if (glob === "**") return ".*";
  const parts = glob.split("/");
  let source = "";
  let separator = "";
  for (const [n, part] of parts.entries()) {
    if (part === "**") {
      if (parts[n + 1] === "**") return undefined;
      source += n === 0 ? "(?:/?|.*/)" : "(?:/|/.*/)";
      separator = "";
      continue;
    }
    const piece = pieceOf(part);
    if (piece === undefined) return undefined;
    source += separator + piece;
    separator = "/";
  }
  return source;
}

/** A part without slashes: text, `*`, and braces that are not nested. */
function pieceOf(part: string): string | undefined {
  const tokens = part.match(/\{[^{}]*\}|[^{}]+|[{}]/g) ?? [];
  const sources = tokens.map((token) => {
    if (token === "{" || token === "}") return undefined;
    if (!token.startsWith("{")) return starred(token);
    const choices = token.slice(1, -1).split(",").filter(Boolean);
    return choices.length === 0 || token.includes("**") ? undefined : `(?:${choices.map(starred).join("|")})`;
  });
  return sources.includes(undefined) ? undefined : sources.join("");
}

const starred = (text: string) =>
  text
    .split(/\*+/)
    .map((literal) => literal.replace(/[\\.+*?()|[\]{}^$/-]/g, "\\$&"))
    .join("[^/]*");
