import { closeSync, openSync, readFileSync, writeFileSync, writeSync } from "node:fs";
import { constants, setPriority } from "node:os";
import { relative } from "node:path";
import { affectedFiles } from "./affected.ts";
import { type Library, loadLibrary, type Program } from "./library.ts";
import { type Project, projectsOf } from "./projects.ts";

/** What the program reads from the file that its first argument names, as JSON. */
export interface TypescriptRequest {
  /** The work tree, absolute. */
  root: string;
  /** The files of the repository, relative to the root. */
  files: readonly string[];
  /** Files that changed since the last index; undefined to index all. */
  changed: readonly string[] | undefined;
  /** The SCIP file to write. */
  output: string;
}

/** Larger files are generated or data, bytes. */
const MAX_FILE_BYTES = 1024 * 1024;

/** Writes a SCIP index of the TypeScript and JavaScript of a work tree. A program of its own, so that its memory has a limit. */
function main(request: TypescriptRequest): void {
  const library = loadLibrary();
  const { ts, scip, version } = library;
  const output = openSync(request.output, "w", 0o600);
  try {
    const tool = new scip.ToolInfo({ name: "scip-typescript", version });
    const metadata = new scip.Metadata({ tool_info: tool, project_root: `file://${request.root}` });
    writeSync(output, new scip.Index({ metadata }).serializeBinary());
    const changed = request.changed && new Set(request.changed.map((file) => `${request.root}/${file}`));
    const packages = new library.Packages(request.root);
    for (const project of projectsOf(ts, request.root, request.files)) {
      if (changed?.size === 0) break;
      const program = ts.createProgram(
        project.files,
        project.options,
        ts.createCompilerHost(project.options),
      );
      const affected = changed && affectedFiles(ts, program, project, request.root, changed);
      const files = project.files.filter((file) => !affected || affected.has(file));
      writeDocuments(library, program, { files, root: request.root, packages, output });
    }
  } finally {
    closeSync(output);
  }
}

function writeDocuments(
  { scip, FileIndexer, Input }: Library,
  program: Program,
  {
    files,
    root,
    packages,
    output,
  }: { files: Project["files"]; root: string; packages: object; output: number },
): void {
  const checker = program.getTypeChecker();
  const symbols = new Map();
  const constructors = new Map();
  // scip-typescript makes a regular expression of the path.
  const options = { cwd: root.replace(/[.*+?^${}()|[\]\\]/g, "\\$&") };
  for (const file of files) {
    const source = program.getSourceFile(file);
    if (!source || source.getText().length > MAX_FILE_BYTES) continue;
    const document = new scip.Document({ relative_path: relative(root, file), occurrences: [] });
    const input = new Input(file, source.getText());
    try {
      new FileIndexer(checker, options, input, document, symbols, constructors, packages, source).index();
    } catch (error) {
      // One file that the compiler cannot check is lexical.
      console.error(`${relative(root, file)}: ${(error as Error).message}`);
      continue;
    }
    if (document.occurrences.length > 0)
      writeSync(output, new scip.Index({ documents: [document] }).serializeBinary());
  }
}

/** Gives way to the server: last for the CPU, first to be killed when memory runs out (proc_pid_oom_score_adj(5)). */
function yieldToServer(): void {
  for (const concede of [
    () => setPriority(constants.priority.PRIORITY_LOW),
    () => writeFileSync("/proc/self/oom_score_adj", "1000"),
  ])
    try {
      concede();
    } catch {
      // The unit may forbid it, and other systems have no such file.
    }
}

yieldToServer();
main(JSON.parse(readFileSync(process.argv[2] ?? "", "utf8")) as TypescriptRequest);
