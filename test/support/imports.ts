import { readFileSync } from "node:fs";
import { isBuiltin } from "node:module";
import { relative } from "node:path";
import { build, type Plugin } from "esbuild";

/** What a module takes from packages, by package name. */
export interface Imports {
  /** Loaded when the module runs. */
  runtime: Set<string>;
  /** Named anywhere, in `import type` too. */
  any: Set<string>;
}

const packageOf = (specifier: string) => specifier.split("/", specifier.startsWith("@") ? 2 : 1).join("/");

const isPackage = (specifier: string) => /^@?[a-z0-9]/i.test(specifier) && !isBuiltin(specifier);

/** Modules are looked at one by one: what they import is not followed. */
const onlyEntries: Plugin = {
  name: "only-entries",
  setup({ onResolve }) {
    onResolve({ filter: /.*/ }, ({ kind, path }) =>
      kind === "entry-point" ? undefined : { path, external: true },
    );
  },
};

/** `createRequire()` and `import.meta.resolve()` are calls like any other to the bundler. */
const CALLS = /\b(?:require(?:\.resolve)?|import\.meta\.resolve)\(\s*["'`]([^"'`]+)["'`]/g;
const STATEMENTS = /(?:^|[\n;])\s*(?:import|export)\b[^;"'`]*?\bfrom\s*["']([^"']+)["']/g;

/**
 * The packages that modules import. esbuild decides what is left of an import at run time, under the same rule as Node's
 * type stripping (`verbatimModuleSyntax`): `import type` is erased, `import { type A }` still loads its module.
 * @param files paths of TypeScript or JavaScript modules
 */
export async function importsOf(files: string[]): Promise<Map<string, Imports>> {
  const { metafile } = await build({
    entryPoints: files,
    bundle: true,
    write: false,
    metafile: true,
    outdir: "unused",
    platform: "node",
    format: "esm",
    plugins: [onlyEntries],
    tsconfigRaw: { compilerOptions: { verbatimModuleSyntax: true } },
    logLevel: "silent",
  });
  return new Map(
    files.map((file) => {
      const text = readFileSync(file, "utf8");
      const found = metafile.inputs[relative(process.cwd(), file)]?.imports ?? [];
      const called = [...text.matchAll(CALLS)].map(([, specifier = ""]) => specifier);
      const runtime = [...found.map(({ path }) => path), ...called].filter(isPackage).map(packageOf);
      const named = [...text.matchAll(STATEMENTS)].map(([, specifier = ""]) => specifier);
      const any = [...runtime, ...named.filter(isPackage).map(packageOf)];
      return [file, { runtime: new Set(runtime), any: new Set(any) }];
    }),
  );
}
