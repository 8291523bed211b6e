import { globFilter } from "../../workspace/globs.ts";
import { isBelow } from "../../workspace/paths.ts";
import { nearestFiles, whyNoFiles } from "../answers/no-files.ts";
import { rankFiles } from "../find-files.ts";
import type { ToolContext } from "../tool.ts";
import { COUNT_OPTIONS, FileCounts } from "./file-counts.ts";
import { countMatches } from "./find.ts";
import { runInFiles, runSearch, type Search } from "./run.ts";

/** Time for the searches that find the reason, milliseconds. */
const TIME_LIMIT_MS = 3_000;

/**
 * Why a search found nothing, and what to try: the files that were not searched, and the forms of the query that do match.
 *
 * @param unsearched the files without text and the large ones; undefined if they are not known
 */
export async function whyNoMatches(
  context: ToolContext,
  search: Search,
  unsearched: readonly string[] | undefined,
): Promise<string[]> {
  const { workspace, signal } = context;
  const { repo, folder, globs, query } = search;
  const files = await workspace.files(repo);
  const none = await whyNoFiles({ repo, files, folder }, signal);
  if (none !== "") return [none];
  const globNote = noFileOf(globs, files, folder);
  if (globNote !== "") return [globNote];
  const notes: string[] = [];
  const until = performance.now() + TIME_LIMIT_MS;
  const otherwise = (error: unknown) => {
    signal.throwIfAborted();
    // The other form may be no regular expression.
    if ((error as Error).name === "ToolError") return { files: [] };
    throw error;
  };
  const count = async (other: Partial<Search>) =>
    (await countMatches(context, { ...search, ...other }, until).catch(otherwise)).files;
  const others = await inUnsearched(context, search, unsearched, until);
  if (others.length > 0) notes.push(`Binary or larger than 16 MiB, and with a match: ${named(others)}.`);
  if (search.case !== "insensitive" && query !== query.toLowerCase()) {
    const found = await count({ case: "insensitive" });
    if (found.length > 0) notes.push(`With "case": "insensitive" it is in ${named(found)}.`);
  }
  if (notes.length === 0 && (search.regex || /[\\.*+?^$|()[\]{}]/.test(query))) {
    const found = await count({ regex: !search.regex });
    if (found.length > 0)
      notes.push(
        search.regex
          ? `The query is a regular expression. As literal text ("regex": false) it is in ${named(found)}.`
          : `The query is literal. As a regular expression ("regex": true) it is in ${named(found)}.`,
      );
  }
  const other = notes.length === 0 ? otherSyntax(search) : undefined;
  if (other) {
    const found = await count(other);
    if (found.length > 0)
      notes.push(`With "query": ${JSON.stringify(other.query)} and "regex": true it is in ${named(found)}.`);
  }
  if (notes.length === 0 && (folder !== "" || globs.length > 0)) {
    const found = await count({ folder: "", globs: [] });
    if (found.length > 0) notes.push(`Outside of path and globs it is in ${named(found)}.`);
  }
  if (notes.length === 0 && !search.regex && /\S\s+\S/.test(query)) {
    const words = query
      .trim()
      .split(/\s+/)
      .map((word) => word.replace(/[\\.+*?()|[\]{}^$#&~-]/g, "\\$&"));
    const found = await count({ regex: true, query: words.join("\\s+") });
    if (found.length > 0)
      notes.push(`With other blanks or line breaks between the words it is in ${named(found)}.`);
  }
  if (notes.length === 0) notes.push(...(await inOtherEncodings(context, search, unsearched, until)));
  const paths = rankFiles(files, query, folder).filter((file) =>
    file.toLowerCase().includes(query.toLowerCase()),
  );
  if (paths.length > 0) notes.push(`Names of files have it: ${paths.slice(0, 3).join(", ")}.`);
  if (notes.length === 0)
    notes.push(
      "No file that git tracks or would track has it; ignored files are not searched. Try a part of it, another spelling, or search by words.",
    );
  return notes;
}

/** The query in the syntax of this server, if it is one of JavaScript (`/a.b/i`) or of grep (`a\\|b`). */
function otherSyntax({ query }: Search): Pick<Search, "query" | "regex" | "case"> | undefined {
  const slashes = /^\/(.+)\/([a-z]*)$/s.exec(query);
  const bare = slashes?.[1] ?? query;
  const plain = bare.replace(/\\([|(){}+?])/g, "$1");
  const isOther = slashes !== null || /\\\|/.test(query);
  if (!isOther) return undefined;
  return {
    query: slashes ? bare : plain,
    regex: true,
    case: slashes?.[2]?.includes("i") ? "insensitive" : "smart",
  };
}

/** The files with a match among those that a search leaves out. */
async function inUnsearched(
  context: ToolContext,
  search: Search,
  unsearched: readonly string[] | undefined,
  until: number,
): Promise<{ path: string; matches: number }[]> {
  if (unsearched?.length === 0) return [];
  const options = [...COUNT_OPTIONS, "--text"];
  const run = { options, maxFileSize: "1G", sorted: false, until };
  const makeSink = () => new FileCounts();
  const { sinks } = unsearched
    ? await runInFiles(context, search, new Set(unsearched), run, makeSink)
    : await runSearch(context, search, run, makeSink);
  return sinks.flatMap((sink) => sink.files);
}

/**
 * The files that have the query in an encoding without a mark. Like ripgrep, a search reads UTF-8, and UTF-16 with a byte order mark. It takes
 * other UTF-16 for binary, and finds only the ASCII in Latin-1.
 */
async function inOtherEncodings(
  context: ToolContext,
  search: Search,
  unsearched: readonly string[] | undefined,
  until: number,
): Promise<string[]> {
  const isAscii = /^[\0-\x7f]*$/.test(search.query);
  const encodings = [
    ...(unsearched?.length === 0 ? [] : [{ name: "UTF-16 without a byte order mark", label: "utf-16le" }]),
    ...(isAscii ? [] : [{ name: "Latin-1 (Windows-1252)", label: "windows-1252" }]),
  ];
  for (const { name, label } of encodings) {
    const run = { options: [...COUNT_OPTIONS, `--encoding=${label}`], sorted: false, until };
    const makeSink = () => new FileCounts();
    const { sinks } =
      unsearched && label === "utf-16le"
        ? await runInFiles(context, search, new Set(unsearched), run, makeSink)
        : await runSearch(context, search, run, makeSink);
    const found = sinks.flatMap((sink) => sink.files);
    if (found.length > 0) return [`Read as ${name}, it is in ${named(found)}. Searches read UTF-8.`];
  }
  return [];
}

function noFileOf(globs: readonly string[], files: ReadonlySet<string>, folder: string): string {
  if (globs.length === 0) return "";
  const below = [...files].filter((file) => isBelow(file, folder));
  if (below.some(globFilter(globs, folder))) return "";
  const near = nearestFiles(below, "", globs[0]?.replace(/^!|^.*\*\*?\//g, "") ?? "");
  return `No file matches the globs ${JSON.stringify(globs)}${folder === "" ? "" : ` in ${JSON.stringify(folder)}`}, so nothing was searched. ${near}`.trim();
}

/** The files with most matches. ripgrep names files in the order in which its threads end. */
function named(files: readonly { path: string; matches: number }[]): string {
  const more = files.length > 3 ? ` and ${files.length - 3} more files` : "";
  return `${[...files]
    .sort((one, other) => other.matches - one.matches || (one.path < other.path ? -1 : 1))
    .slice(0, 3)
    .map(({ path, matches }) => `${path} (${matches})`)
    .join(", ")}${more}`;
}
