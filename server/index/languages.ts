/** A language whose symbols are indexed. */
export interface Language {
  readonly name: string;
  /** `tree-sitter-<grammar>.wasm` */
  readonly grammar: string;
  /** The key of its tree-sitter query (definitions.ts). Several languages share one. */
  readonly query: string;
}

const language = (name: string, grammar = name, query = name): Language => ({ name, grammar, query });

const TYPESCRIPT = language("typescript");
const JAVASCRIPT = language("javascript");
const CPP = language("cpp");
const RUBY = language("ruby");
const BASH = language("bash");
const HCL = language("hcl");
const YAML = language("yaml");

/** Languages by file name extension, lower case. The C++ grammar parses nearly all of C. */
const BY_EXTENSION: Record<string, Language> = {
  ts: TYPESCRIPT,
  mts: TYPESCRIPT,
  cts: TYPESCRIPT,
  tsx: language("tsx", "tsx", "typescript"),
  js: JAVASCRIPT,
  mjs: JAVASCRIPT,
  cjs: JAVASCRIPT,
  jsx: JAVASCRIPT,
  py: language("python"),
  pyi: language("python"),
  go: language("go"),
  rs: language("rust"),
  java: language("java"),
  cs: language("csharp", "c-sharp"),
  c: language("c", "cpp", "cpp"),
  h: language("c", "cpp", "cpp"),
  cc: CPP,
  cpp: CPP,
  cxx: CPP,
  hh: CPP,
  hpp: CPP,
  hxx: CPP,
  rb: RUBY,
  rake: RUBY,
  gemspec: RUBY,
  php: language("php"),
  sh: BASH,
  bash: BASH,
  ps1: language("powershell"),
  psm1: language("powershell"),
  css: language("css"),
  ini: language("ini"),
  cfg: language("ini"),
  regex: language("regex"),
  kt: language("kotlin"),
  kts: language("kotlin"),
  swift: language("swift"),
  scala: language("scala"),
  sc: language("scala"),
  dart: language("dart"),
  lua: language("lua"),
  tf: HCL,
  tfvars: HCL,
  hcl: HCL,
  toml: language("toml"),
  yaml: YAML,
  yml: YAML,
};

const BY_NAME: Record<string, Language> = {
  Rakefile: RUBY,
  Gemfile: RUBY,
  ".bashrc": BASH,
  ".profile": BASH,
};

/** The language of a file by its name; undefined for plain text. */
export function languageOf(path: string): Language | undefined {
  const base = path.slice(path.lastIndexOf("/") + 1);
  const named = Object.hasOwn(BY_NAME, base) ? BY_NAME[base] : undefined;
  if (named) return named;
  const extension = base.slice(base.lastIndexOf(".") + 1).toLowerCase();
  return Object.hasOwn(BY_EXTENSION, extension) ? BY_EXTENSION[extension] : undefined;
}

/** Languages that use each other's definitions. */
const FAMILIES: Record<string, string> = { javascript: "ecmascript", typescript: "ecmascript" };

/** The family of a language: the languages whose code can name the same definitions; undefined for plain text. */
export function familyOf(path: string): string | undefined {
  const query = languageOf(path)?.query;
  return query && (FAMILIES[query] ?? query);
}

/** All grammar files: the content of `wasm/` in a release. */
export const GRAMMARS: readonly string[] = [
  ...new Set(Object.values(BY_EXTENSION).map((l) => `tree-sitter-${l.grammar}.wasm`)),
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
] as const;
export type Kind = (typeof KINDS)[number];
