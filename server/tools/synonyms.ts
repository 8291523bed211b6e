/**
 * Names from other servers and editors that models use instead of the argument names in the schema. A synonym counts only if the tool
 * has the argument, the tool has no argument named like the synonym, and the caller did not pass the argument itself.
 */
export const SYNONYMS: Readonly<Record<string, readonly string[]>> = {
  path: [
    "file",
    "file_path",
    "filepath",
    "filename",
    "file_name",
    "relative_path",
    "folder",
    "directory",
    "dir",
  ],
  query: ["q", "pattern", "text", "search", "search_query", "search_term", "term", "keyword", "keywords"],
  pattern: ["query", "structural_pattern"],
  name: ["symbol", "symbol_name", "name_path", "identifier", "query"],
  symbol: ["name", "symbol_name", "identifier"],
  repo: ["repository", "repo_name", "repository_name", "project"],
  revision: ["ref", "rev", "commit", "branch", "sha", "tag", "version"],
  commit: ["revision", "sha", "rev", "ref", "commit_id"],
  from: ["base", "from_revision", "from_ref", "old"],
  to: ["head", "to_revision", "to_ref", "new"],
  globs: ["glob", "include", "includes", "file_pattern", "file_glob"],
  glob: ["globs", "pattern", "file_pattern", "include"],
  kinds: ["kind", "symbol_kind", "symbol_kinds", "types", "type"],
  regex: ["is_regex", "regexp", "use_regex"],
  context: ["context_lines", "lines_of_context", "num_context_lines"],
  start_line: ["start", "line_start", "from_line", "first_line", "begin_line"],
  end_line: ["end", "line_end", "to_line", "last_line"],
  line: ["line_number", "lineno", "row"],
  column: ["col", "character", "column_number"],
  offset: ["skip"],
  max_results: ["limit", "max", "count", "n", "top_k", "num_results", "head_limit", "page_size"],
  include_body: ["body", "with_body", "include_source"],
  language: ["lang"],
  id: ["ids", "document_id"],
};

/** Short forms of values. */
export const VALUE_SYNONYMS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  language: { ts: "typescript", js: "javascript", py: "python", jsx: "javascript", mjs: "javascript" },
  case: { true: "sensitive", false: "insensitive", ignore: "insensitive" },
  match: { contains: "substring", "starts-with": "prefix", starts_with: "prefix" },
};
