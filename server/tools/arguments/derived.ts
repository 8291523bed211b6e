import { type Arguments, type InputSchema, isGiven } from "./input-schema.ts";
import { snakeCase } from "./names.ts";

/** Arguments of other tools that have no counterpart here, but a meaning. Each rule applies only where the schema has what it sets. */
export function withDerived(given: Arguments, schema: InputSchema): Arguments {
  const args = { ...given };
  const has = (...names: string[]) => names.every((name) => schema.properties?.[name] !== undefined);
  const set = (name: string, value: unknown) => {
    if (!isGiven(args[name])) args[name] = value;
  };
  /** Takes the first of the arguments that the schema does not have. */
  const take = (...names: string[]): unknown => {
    for (const key of Object.keys(args)) {
      if (!names.includes(snakeCase(key)) || has(key) || !isGiven(args[key])) continue;
      const value = args[key];
      delete args[key];
      return value;
    }
    return undefined;
  };
  if (has("start_line", "end_line")) {
    const range = rangeIn(take("view_range", "line_range", "lines", "range") ?? args.start_line);
    if (range && typeof args.start_line === "string") delete args.start_line;
    if (range?.[0] !== undefined) set("start_line", range[0]);
    if (range?.[1] !== undefined) set("end_line", range[1]);
    if (!has("max_results")) {
      const count = wholeNumber(take("limit", "num_lines", "line_count", "max_lines", "n_lines"));
      const first = wholeNumber(args.start_line) ?? 1;
      if (count !== undefined && count > 0) set("end_line", Math.max(1, first) + count - 1);
    }
    const [first, last] = [wholeNumber(args.start_line), wholeNumber(args.end_line)];
    if (first !== undefined && last !== undefined && last > 0 && last < first) {
      args.start_line = last;
      args.end_line = first;
    }
  }
  if (has("line") && typeof args.line === "string") args.line = rangeIn(args.line)?.[0] ?? args.line;
  if (has("offset", "max_results")) {
    const page = wholeNumber(take("page", "page_number"));
    const size = wholeNumber(args.max_results) ?? schema.properties?.max_results?.default;
    if (page !== undefined && page > 0 && typeof size === "number") set("offset", (page - 1) * size);
  }
  if (has("query", "regex") && typeof args.regex === "string" && !isGiven(args.query)) {
    // The regular expression itself instead of the switch.
    args.query = args.regex;
    args.regex = true;
  }
  if (
    has("query", "regex") &&
    truth(take("whole_word", "whole_words", "word", "words", "match_whole_word", "w"))
  )
    Object.assign(args, wholeWord(args));
  if (has("case")) {
    const flags = take("flags", "regex_flags");
    if (typeof flags === "string" && flags.includes("i")) set("case", "insensitive");
    const sensitive = truth(take("case_sensitive", "match_case"));
    const ignored = truth(take("ignore_case", "case_insensitive", "i"));
    if (sensitive !== undefined) set("case", sensitive ? "sensitive" : "insensitive");
    if (ignored !== undefined) set("case", ignored ? "insensitive" : "sensitive");
  }
  if (has("context")) {
    const around = [take("before_context", "lines_before"), take("after_context", "lines_after")].map(
      wholeNumber,
    );
    const most = Math.max(...around.map((lines) => lines ?? -1));
    if (most >= 0) set("context", most);
  }
  if (has("globs", "path")) {
    const folders = listIn(args.path);
    if (Array.isArray(args.path) && folders && folders.length > 1) {
      delete args.path;
      args.globs = [...(listIn(args.globs) ?? []), ...folders.map((folder) => `/${plain(folder)}`)];
    }
    const types = listIn(
      take("type", "types", "file_type", "file_types", "extension", "extensions", "ext", "language"),
    );
    if (types && !isGiven(args.globs)) args.globs = types.map(globOfType);
  }
  if (has("globs")) {
    const excluded = listIn(take("exclude", "excludes", "exclude_pattern", "exclude_globs", "files_exclude"));
    if (excluded)
      args.globs = [
        ...(listIn(args.globs) ?? []),
        ...excluded.map((glob) => `!${String(glob).replace(/^!/, "")}`),
      ];
  }
  return args;
}

const plain = (path: unknown) => String(path).replace(/^(?:\.?\/)+|\/+$/g, "");

function wholeWord({ query, regex }: Arguments): Arguments {
  if (typeof query !== "string") return {};
  const text = truth(regex) ? query : query.replace(/[\\.+*?()|[\]{}^$#&~-]/g, "\\$&");
  return { query: `\\b(?:${text})\\b`, regex: true };
}

/** Types of files by the names that ripgrep and models have for them; others are extensions. */
const TYPES: Readonly<Record<string, string>> = {
  ts: "{ts,tsx,mts,cts}",
  typescript: "{ts,tsx,mts,cts}",
  js: "{js,jsx,mjs,cjs}",
  javascript: "{js,jsx,mjs,cjs}",
  py: "{py,pyi}",
  python: "{py,pyi}",
  rust: "rs",
  golang: "go",
  ruby: "rb",
  kotlin: "{kt,kts}",
  csharp: "cs",
  "c#": "cs",
  c: "{c,h}",
  cpp: "{cc,cpp,cxx,hh,hpp,hxx,h}",
  "c++": "{cc,cpp,cxx,hh,hpp,hxx,h}",
  markdown: "{md,markdown}",
  md: "{md,markdown}",
  yaml: "{yaml,yml}",
  sh: "{sh,bash,zsh}",
  shell: "{sh,bash,zsh}",
  terraform: "{tf,tfvars}",
};

function globOfType(type: unknown): string {
  const name = String(type)
    .toLowerCase()
    .replace(/^\*?\./, "");
  return `*.${TYPES[name] ?? name}`;
}

/** The first and the last line: `10-20`, `L10-L20`, `10..20`, `[10, 20]`, `{"start": 10, "end": 20}`, `10-`; undefined if it is none. */
function rangeIn(value: unknown): unknown[] | undefined {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    const { start, start_line, from, end, end_line, to } = value as Arguments;
    return [start ?? start_line ?? from, end ?? end_line ?? to];
  }
  if (typeof value !== "string") return Array.isArray(value) ? value : undefined;
  const parts = /^\s*\[?\s*L?(\d+)\s*(?:(?:[-:,\u2013]|\.\.)\s*(?:L?(\d+))?)?\s*\]?\s*$/i.exec(value);
  return parts ? [Number(parts[1]), ...(parts[2] ? [Number(parts[2])] : [])] : undefined;
}

function wholeNumber(value: unknown): number | undefined {
  const number = typeof value === "string" && value.trim() !== "" ? Number(value) : value;
  return typeof number === "number" && Number.isInteger(number) ? number : undefined;
}

function truth(value: unknown): boolean | undefined {
  if (value === undefined) return undefined;
  return value === true || value === 1 || /^(true|yes|1|on)$/i.test(String(value));
}

/** A list, given as such, as JSON text, or as text: `*.md, *.txt`. */
function listIn(value: unknown): unknown[] | undefined {
  if (Array.isArray(value)) return value;
  if (typeof value === "number") return [value];
  if (typeof value !== "string" || value === "") return undefined;
  try {
    const parsed: unknown = JSON.parse(value);
    if (Array.isArray(parsed)) return parsed;
  } catch {
    // It is not JSON.
  }
  return /\{.*,/.test(value) ? [value] : value.split(/\s*,\s*/);
}
