import type { Compiler, Program } from "./library.ts";
import type { Project } from "./projects.ts";

/**
 * The files of a project whose occurrences may differ after a change: the changed ones, and all that import one of them, directly or not.
 *
 * @param changed absolute paths
 * @returns undefined for all files: a changed file declares names for every other file
 */
export function affectedFiles(
  ts: Compiler,
  program: Program,
  { options, files }: Project,
  root: string,
  changed: ReadonlySet<string>,
): Set<string> | undefined {
  const importers = new Map<string, string[]>();
  const cache = ts.createModuleResolutionCache(root, (name) => name, options);
  for (const file of files) {
    const source = program.getSourceFile(file);
    if (!source) continue;
    if (changed.has(file) && (source.isDeclarationFile || !ts.isExternalModule(source))) return undefined;
    const { importedFiles, referencedFiles } = ts.preProcessFile(source.getText(), true, true);
    for (const { fileName } of [...importedFiles, ...referencedFiles]) {
      const { resolvedModule } = ts.resolveModuleName(fileName, file, options, ts.sys, cache);
      const to = resolvedModule?.resolvedFileName;
      if (to === undefined) continue;
      const known = importers.get(to);
      if (known) known.push(file);
      else importers.set(to, [file]);
    }
  }
  const affected = new Set<string>();
  const waiting = [...changed];
  for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) {
    if (affected.has(file)) continue;
    affected.add(file);
    waiting.push(...(importers.get(file) ?? []));
  }
  return affected;
}
