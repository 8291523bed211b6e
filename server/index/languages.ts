/** A language whose symbols are indexed. */
export interface Language {
  readonly name: string;
  /** `tree-sitter-<grammar>.wasm` */
  readonly grammar: string;
  /** The key of its tree-sitter query (definitions/). Several languages share one. */
  readonly query: string;
  /** What its code is embedded in, see code-view.ts. */
  readonly container?: "markup" | "notebook";
  /** True for a language without a grammar, whose definitions are found by the words of its statements (sql-symbols.ts). */
  readonly isScanned?: boolean;
  /** True for prose and data: its symbols are headings and keys, which code does not name. */
  readonly isData: boolean;
}

interface Row extends Partial<Language> {
  /** File name extensions, lower case, separated by blanks. */
  extensions: string;
  /** Whole file names. */
  names?: string;
}

/** By name. `grammar` and `query` are the name unless given. The C++ grammar parses nearly all of C. */
const TABLE: Record<string, Row> = {
  typescript: { extensions: "ts mts cts" },
  tsx: { extensions: "tsx", query: "typescript" },
  javascript: { extensions: "js mjs cjs jsx" },
  vue: { extensions: "vue", grammar: "typescript", query: "typescript", container: "markup" },
  svelte: { extensions: "svelte", grammar: "typescript", query: "typescript", container: "markup" },
  astro: { extensions: "astro", grammar: "tsx", query: "typescript", container: "markup" },
  html: { extensions: "html htm", grammar: "javascript", query: "javascript", container: "markup" },
  css: { extensions: "css" },
  scss: { extensions: "scss" },
  python: { extensions: "py pyi pyw" },
  notebook: { extensions: "ipynb", grammar: "python", query: "python", container: "notebook" },
  go: { extensions: "go" },
  rust: { extensions: "rs" },
  c: { extensions: "c h", grammar: "cpp", query: "cpp" },
  cpp: { extensions: "cc cpp cxx c++ hh hpp hxx h++ ipp inl tpp cu cuh ino" },
  "objective-c": { extensions: "m mm", grammar: "objc", query: "objc" },
  zig: { extensions: "zig zon" },
  java: { extensions: "java" },
  csharp: { extensions: "cs", grammar: "c-sharp" },
  kotlin: { extensions: "kt kts" },
  scala: { extensions: "scala sc sbt" },
  swift: { extensions: "swift" },
  dart: { extensions: "dart" },
  ruby: { extensions: "rb rake gemspec", names: "Rakefile Gemfile Podfile Fastfile Vagrantfile" },
  php: { extensions: "php phtml" },
  perl: { extensions: "pl pm" },
  lua: { extensions: "lua" },
  r: { extensions: "r" },
  bash: { extensions: "sh bash zsh ksh bats", names: ".bashrc .bash_profile .profile .zshrc" },
  powershell: { extensions: "ps1 psm1" },
  gdscript: { extensions: "gd" },
  elixir: { extensions: "ex exs" },
  haskell: { extensions: "hs" },
  clojure: { extensions: "clj cljs cljc" },
  elm: { extensions: "elm" },
  gleam: { extensions: "gleam" },
  nix: { extensions: "nix" },
  hcl: { extensions: "tf tfvars hcl" },
  sql: { extensions: "sql ddl pgsql psql plsql pks pkb", isScanned: true },
  make: { extensions: "mk mak", names: "Makefile makefile GNUmakefile" },
  regex: { extensions: "regex" },
  toml: { extensions: "toml", isData: true },
  yaml: { extensions: "yaml yml", isData: true },
  json: { extensions: "json jsonc json5 webmanifest", isData: true },
  ini: { extensions: "ini cfg", names: ".editorconfig", isData: true },
  properties: { extensions: "properties", isData: true },
  markdown: { extensions: "md markdown", isData: true },
  latex: { extensions: "tex", isData: true },
};

/** Lists that a program writes: their keys are no definitions. */
const GENERATED = new Set(["package-lock.json", "npm-shrinkwrap.json", "composer.lock", "pnpm-lock.yaml"]);

const BY_EXTENSION = new Map<string, Language>();
const BY_NAME = new Map<string, Language>();
for (const [name, { extensions, names, ...row }] of Object.entries(TABLE)) {
  const language: Language = { name, grammar: name, query: name, isData: false, ...row };
  for (const extension of extensions.split(" ")) BY_EXTENSION.set(extension, language);
  for (const file of names?.split(" ") ?? []) BY_NAME.set(file, language);
}

/** The language of a file by its name; undefined for plain text. */
export function languageOf(path: string): Language | undefined {
  const base = path.slice(path.lastIndexOf("/") + 1);
  if (GENERATED.has(base)) return undefined;
  const dot = base.lastIndexOf(".");
  return BY_NAME.get(base) ?? (dot === -1 ? undefined : BY_EXTENSION.get(base.slice(dot + 1).toLowerCase()));
}

/** Languages that use each other's definitions. */
const FAMILIES: Record<string, string> = {
  javascript: "ecmascript",
  typescript: "ecmascript",
  objc: "cpp",
  scss: "css",
};

/** The family of a language: the languages whose code can name the same definitions; undefined for prose and data. */
export function familyOf(path: string): string | undefined {
  const language = languageOf(path);
  return language && !language.isData ? (FAMILIES[language.query] ?? language.query) : undefined;
}

/** All grammar files: the content of `wasm/` in a release. */
export const GRAMMARS: readonly string[] = [
  ...new Set(
    [...BY_EXTENSION.values()].filter((l) => !l.isScanned).map((l) => `tree-sitter-${l.grammar}.wasm`),
  ),
].sort();

/** The kinds of symbols. */
export const KINDS = [
  "class",
  "interface",
  "struct",
  "enum",
  "trait",
  "type",
  "module",
  "function",
  "method",
  "constant",
  "variable",
  "field",
  "macro",
  "rule",
  "section",
] as const;
export type Kind = (typeof KINDS)[number];
