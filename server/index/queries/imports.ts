import { posix } from "node:path";
import { folderOf } from "./paths.ts";

/** What an import statement brings into a file. */
export interface Import {
  /** The module, as it is written. */
  from: string;
  /** The names that it brings, as the module and as the file have them. */
  names: readonly { imported: string; local: string }[];
  /** The name of the module itself in the file: `ns` in `import * as ns`. */
  namespace: string | undefined;
  /** True for `require()` and `import()`, whose names are local variables. */
  isDynamic?: boolean;
}

/** Most import statements of a file that are read. */
const MAX_IMPORTS = 500;

const ES = /^[ \t]*(?:import|export)\s([^;"'`()=]*?)from\s*["']([^"'\n]+)["']/gm;
const ES_DYNAMIC =
  /(?:(?:const|let|var)\s+([\p{L}\p{N}_$]+|\{[^{}]*\})\s*=\s*(?:await\s+)?)?(?:require|import)\(\s*["'`]([^"'`\n]+)["'`]/gu;
const PYTHON_FROM = /^[ \t]*from[ \t]+(\S+)[ \t]+import[ \t]+(\([^)]*\)|[^\n#]+)/gm;
const PYTHON = /^[ \t]*import[ \t]+([^\n#]+)/gm;
const GO = /^[ \t]*(?:import[ \t]+)?(?:([\w.]+)[ \t]+)?"([^"\n]+)"[ \t]*$/gm;
const RUST = /^[ \t]*(?:pub(?:\([^)]*\))?[ \t]+)?use[ \t]+([^;]+);/gm;
const OTHER =
  /^[ \t]*(?:import|use|using|require|require_relative|include|#[ \t]*include|source)\b[ \t]*(?:static[ \t]+)?(?:["'`<(]+([^"'`<>()\n]+)["'`>)]+|([\p{L}\p{N}_.:\\]+)(?:[ \t]+as[ \t]+([\p{L}\p{N}_]+))?)/gmu;

/** The import statements of a file. @param family of its language (languages.ts) */
export function importsOf(text: string, family: string | undefined): Import[] {
  const found: Import[] = [];
  for (const one of readersOf(family)(text)) {
    found.push(one);
    if (found.length >= MAX_IMPORTS) break;
  }
  return found;
}

function readersOf(family: string | undefined): (text: string) => Iterable<Import> {
  switch (family) {
    case "ecmascript":
      return ecmascript;
    case "python":
      return python;
    case "go":
      return go;
    case "rust":
      return rust;
    default:
      return others;
  }
}

function* ecmascript(text: string): Iterable<Import> {
  for (const [, clause = "", from = ""] of text.matchAll(ES)) {
    const namespace = /\*\s*as\s+([\p{L}\p{N}_$]+)/u.exec(clause)?.[1];
    const first = /^(?:type\s+)?([\p{L}\p{N}_$]+)\s*(?:,|$)/u.exec(clause.trim())?.[1];
    const names = namesIn(/\{([^}]*)\}/.exec(clause)?.[1] ?? "", /\s+as\s+/);
    if (first !== undefined) names.push({ imported: "default", local: first });
    yield { from, names, namespace };
  }
  for (const [, target, from = ""] of text.matchAll(ES_DYNAMIC)) {
    const inner = target?.startsWith("{") ? target.slice(1, -1) : undefined;
    yield {
      from,
      names: inner === undefined ? [] : namesIn(inner, /\s*:\s*/),
      namespace: inner === undefined ? target : undefined,
      isDynamic: true,
    };
  }
}

function* python(text: string): Iterable<Import> {
  for (const [, from = "", names = ""] of text.matchAll(PYTHON_FROM))
    yield { from, names: namesIn(names.replace(/[()]/g, ""), /\s+as\s+/), namespace: undefined };
  for (const [, list = ""] of text.matchAll(PYTHON))
    for (const { imported, local } of namesIn(list, /\s+as\s+/))
      yield { from: imported, names: [], namespace: local.split(".").at(-1) };
}

function* go(text: string): Iterable<Import> {
  for (const [, alias, from = ""] of text.matchAll(GO))
    yield { from, names: [], namespace: alias ?? from.split("/").at(-1) };
}

function* rust(text: string): Iterable<Import> {
  for (const [, tree = ""] of text.matchAll(RUST)) {
    const [, head = "", list] = /^([^{]*?)(?:::)?\{([\s\S]*)\}\s*$/.exec(tree) ?? [];
    if (list !== undefined) {
      // `a::{b, c::{d}}`: the inner lists are names of the outer module too.
      yield { from: head, names: namesIn(list.replace(/[{}]|::/g, ","), /\s+as\s+/), namespace: undefined };
      continue;
    }
    const parts = tree.trim().split("::");
    const names = namesIn(parts.at(-1) ?? "", /\s+as\s+/);
    yield { from: parts.slice(0, -1).join("::"), names, namespace: names[0]?.local };
  }
}

/** A qualified name, of which the last part is the name in the file: `import a.b.C`, `use A\B`. */
function* others(text: string): Iterable<Import> {
  for (const [, path, name, alias] of text.matchAll(OTHER)) {
    const from = path ?? name ?? "";
    const last = from.split(/[.:\\]+/).at(-1) ?? "";
    yield {
      from,
      names: path === undefined ? [{ imported: last, local: alias ?? last }] : [],
      namespace: undefined,
    };
  }
}

function namesIn(list: string, as: RegExp): { imported: string; local: string }[] {
  return list.split(",").flatMap((part) => {
    const [imported, local] = part
      .trim()
      .replace(/^type\s+/, "")
      .split(as);
    return imported ? [{ imported: imported.trim(), local: (local ?? imported).trim() }] : [];
  });
}

/** The path of a module without its ending. */
export const moduleOf = (path: string) =>
  posix
    .normalize(path)
    .replace(/(?:\.d)?\.\w+$/, "")
    .replace(/\/(?:index|__init__|mod)$/, "");

/** Whether a module, as the file at `path` names it, can be another file. Certain for a path relative to the file. */
export function isModuleAt(path: string, from: string, file: string): boolean {
  const module = moduleOf(file);
  const relative = relativeModule(path, from);
  if (relative !== undefined) return relative === module;
  const asked = from.split(/[/.:\\]+/).filter((part) => part !== "" && part !== "crate" && part !== "self");
  const own = module.split("/");
  return [asked.at(-1), asked.at(-2)].some(
    (part) => part !== undefined && (part === own.at(-1) || part === own.at(-2)),
  );
}

/** The module that a relative import names, from the root of the repository; undefined for another import. */
export function relativeModule(path: string, from: string): string | undefined {
  if (/^\.{1,2}(?:\/|$)/.test(from)) return moduleOf(posix.join(folderOf(path), from));
  // Python: one dot is the package of the file.
  const [, dots, rest] = /^(\.+)([\p{L}_][\p{L}\p{N}_.]*)$/u.exec(from) ?? [];
  if (dots === undefined || rest === undefined) return undefined;
  const up = "../".repeat(dots.length - 1);
  return moduleOf(posix.join(folderOf(path), up, rest.replaceAll(".", "/")));
}
