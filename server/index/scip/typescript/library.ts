import { createRequire } from "node:module";

/**
 * scip-typescript and the compiler that it brings. Both are CommonJS without types for what is used here, and stay outside of the bundle:
 * the compiler finds its libraries beside itself.
 */
const require = createRequire(import.meta.url);
const PACKAGE = "@sourcegraph/scip-typescript";

/** The class that writes the occurrences of a file (dist/src/FileIndexer.js). */
type FileIndexer = new (
  checker: TypeChecker,
  options: { cwd: string },
  input: object,
  document: Message & { occurrences: unknown[] },
  symbols: Map<unknown, unknown>,
  constructors: Map<unknown, unknown>,
  packages: object,
  file: SourceFile,
) => { index(): void };

interface Message {
  serializeBinary(): Uint8Array;
}

/** The messages of SCIP, as scip-typescript writes them. */
export interface ScipMessages {
  Index: new (value: object) => Message;
  Document: new (value: object) => Message & { occurrences: unknown[] };
  Metadata: new (value: object) => Message;
  ToolInfo: new (value: object) => Message;
}

export type TypeChecker = object;
export interface SourceFile {
  fileName: string;
  isDeclarationFile: boolean;
  getText(): string;
}
export interface Program {
  getSourceFile(name: string): SourceFile | undefined;
  getTypeChecker(): TypeChecker;
}
export interface ParsedConfig {
  options: Record<string, unknown>;
  fileNames: string[];
}
export interface CompilerHost {
  getSourceFile(name: string, version: unknown, ...rest: unknown[]): SourceFile | undefined;
}

/** What is used of the compiler's API (TypeScript 5). */
export interface Compiler {
  sys: { readFile(name: string): string | undefined };
  createProgram(files: readonly string[], options: object, host: CompilerHost): Program;
  createCompilerHost(options: object): CompilerHost;
  readConfigFile(
    name: string,
    read: (name: string) => string | undefined,
  ): { config?: object; error?: object };
  parseJsonConfigFileContent(
    config: object,
    host: object,
    base: string,
    existing?: object,
    name?: string,
  ): ParsedConfig;
  preProcessFile(
    text: string,
    readImports: boolean,
    detectJavaScript: boolean,
  ): { importedFiles: { fileName: string }[]; referencedFiles: { fileName: string }[] };
  resolveModuleName(
    name: string,
    from: string,
    options: object,
    host: object,
    cache?: object,
  ): { resolvedModule?: { resolvedFileName: string } };
  createModuleResolutionCache(root: string, canonical: (name: string) => string, options: object): object;
  isExternalModule(file: SourceFile): boolean;
  ModuleKind: { ESNext: number };
  ModuleResolutionKind: { Bundler: number };
  ScriptTarget: { ESNext: number };
  JsxEmit: { Preserve: number };
}

export interface Library {
  version: string;
  ts: Compiler;
  scip: ScipMessages;
  FileIndexer: FileIndexer;
  Input: new (path: string, text: string) => object;
  Packages: new (root: string) => object;
}

/** @throws if scip-typescript is not installed */
export function loadLibrary(): Library {
  const part = (name: string) => require(`${PACKAGE}/dist/src/${name}.js`);
  const ofPackage = createRequire(require.resolve(`${PACKAGE}/package.json`));
  return {
    version: require(`${PACKAGE}/package.json`).version,
    ts: ofPackage("typescript"),
    scip: part("scip").scip,
    FileIndexer: part("FileIndexer").FileIndexer,
    Input: part("Input").Input,
    Packages: part("Packages").Packages,
  };
}
