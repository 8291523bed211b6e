import { familyOf } from "../languages.ts";
import { wordPlaces } from "../occurrences.ts";
import { importsOf, isModuleAt, moduleOf, relativeModule } from "./imports.ts";
import { folderOf } from "./paths.ts";
import type { Target } from "./reference-target.ts";

/** Languages in which the files of a folder, or of a package, see each other's names without an import. */
const SHARED = /^(?:go|java|csharp|kotlin|scala|swift|cpp|php|ruby|rust|sql)$/;
/** What a file can see of a definition, by its imports. */
export interface FileScope {
  path: string;
  isHome: boolean;
  /** True if the file can see the definition: it imports its file, or is in its package. */
  sees: boolean;
  /** True if the name on its own can mean the definition. Code in ECMAScript imports each name that it uses. */
  imports: boolean;
  namesHolder: boolean;
  /** Whether it names the definition around an inner name. */
  namesAround: boolean;
  /** The modules that it names: `ns` in `import * as ns`, if that is the file of the definition. */
  namespaces: readonly string[];
  /** True if it gets the name by `import()` or `require()`, so that it is a local variable. */
  isDynamic: boolean;
  /** The names that its imports give to the definition. */
  aliases: readonly string[];
}

export function fileScope(target: Target, path: string, text: string): FileScope {
  const { homes, name } = target;
  const isHome = homes.includes(path);
  const family = familyOf(path);
  const imports = importsOf(text, family);
  const importsHome = imports.some(({ from }) => homes.some((home) => isModuleAt(path, from, home)));
  const isEcmascript = family === "ecmascript";
  const shares =
    SHARED.test(family ?? "") && homes.some((home) => folderOf(home) === folderOf(path) || family !== "go");
  const others = target.elsewhere.map(moduleOf);
  const bound = imports.flatMap(({ names, ...rest }) => names.map((one) => ({ ...one, ...rest })));
  const naming = bound.filter(({ imported, local }) => imported === name || local === name);
  const own = naming.filter(
    ({ imported, from }) =>
      (imported === name || imported === "default") && !others.includes(relativeModule(path, from) ?? ""),
  );
  const namesHolder = [...target.holders].some((holder) => hasWord(text, holder));
  return {
    path,
    isHome,
    sees: isHome || importsHome || shares || own.length > 0,
    imports: isHome || shares || own.length > 0 || (naming.length === 0 && !isEcmascript),
    namesHolder,
    namesAround: target.within?.around !== undefined && hasWord(text, target.within.around.name),
    namespaces: imports.flatMap(({ from, namespace }) =>
      namespace !== undefined && homes.some((home) => isModuleAt(path, from, home)) ? [namespace] : [],
    ),
    isDynamic: own.some((one) => one.isDynamic),
    aliases: own.flatMap(({ local }) => (local === name ? [] : [local])),
  };
}

const hasWord = (text: string, word: string) => wordPlaces(text, word).length > 0;
