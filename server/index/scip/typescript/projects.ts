import { dirname, join } from "node:path";
import type { Compiler, ParsedConfig } from "./library.ts";

/** Files that the compiler reads. */
export const SOURCE = /\.(?:[mc]?[jt]s|[jt]sx)$/;
/** The configuration files of projects. Others, such as tsconfig.base.json, are parts of these. */
const CONFIG = /(?:^|\/)(?:ts|js)config\.json$/;
/** Most projects of a repository; the files of further ones are compiled without their configuration. */
const MAX_PROJECTS = 200;

/** Files that are compiled together. Paths are absolute. */
export interface Project {
  options: Record<string, unknown>;
  files: string[];
}

/**
 * The projects of a repository. Each file is in one: that of the nearest configuration that includes it, else in one with options that
 * suit most code.
 *
 * @param files of the repository, relative to its root
 */
export function projectsOf(ts: Compiler, root: string, files: readonly string[]): Project[] {
  const left = new Set(files.filter((file) => SOURCE.test(file)).map((file) => join(root, file)));
  const projects: Project[] = [];
  const configs = files.filter((file) => CONFIG.test(file)).sort((a, b) => depth(b) - depth(a));
  for (const config of configs.slice(0, MAX_PROJECTS)) {
    const parsed = parse(ts, join(root, config));
    const own = parsed?.fileNames.filter((file) => left.has(file)) ?? [];
    if (!parsed || own.length === 0) continue;
    for (const file of own) left.delete(file);
    projects.push({ options: { ...parsed.options, ...WITHOUT_OUTPUT }, files: own });
  }
  if (left.size > 0) projects.push({ options: defaultOptions(ts), files: [...left] });
  return projects;
}

const WITHOUT_OUTPUT = { noEmit: true, incremental: false, composite: false, skipLibCheck: true };

const depth = (path: string) => path.split("/").length;

function parse(ts: Compiler, file: string): ParsedConfig | undefined {
  const { config, error } = ts.readConfigFile(file, ts.sys.readFile);
  if (error || !config) return undefined;
  const existing = file.endsWith("jsconfig.json") ? { allowJs: true, maxNodeModuleJsDepth: 0 } : {};
  try {
    return ts.parseJsonConfigFileContent(config, ts.sys, dirname(file), existing, file);
  } catch {
    return undefined;
  }
}

function defaultOptions(ts: Compiler): Record<string, unknown> {
  return {
    ...WITHOUT_OUTPUT,
    allowJs: true,
    checkJs: false,
    maxNodeModuleJsDepth: 0,
    target: ts.ScriptTarget.ESNext,
    module: ts.ModuleKind.ESNext,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
    allowImportingTsExtensions: true,
    experimentalDecorators: true,
    jsx: ts.JsxEmit.Preserve,
    // Types of packages are found where they are imported.
    types: [],
  };
}
