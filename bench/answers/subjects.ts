import { existsSync } from "node:fs";
import { rename, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { execa } from "execa";
import { cacheFolder, projectRoot } from "../../infra/paths.ts";
import { treeState } from "../../server/index/work-tree.ts";
import { goRepository, scipPython, wheelRepository } from "../packages.ts";

/** A repository with an index that a compiler's front end made. */
export interface Subject {
  name: string;
  /** The work tree. */
  root: string;
  /** The SCIP index. */
  scip: string;
  /** Whether the server makes the precise index itself. Otherwise it gets the SCIP index. */
  isBuiltIn: boolean;
}

/** Repositories in three languages. */
export const SUBJECTS: readonly (() => Promise<Subject>)[] = [typescript, python, go];

/** This repository at its last commit, with the packages that its types come from. */
async function typescript(): Promise<Subject> {
  const { commit } = await treeState(projectRoot);
  const root = join(cacheFolder("bench"), `answers-${commit.slice(0, 12)}`);
  if (!existsSync(root)) {
    const partial = `${root}.partial`;
    await rm(partial, { recursive: true, force: true });
    await execa("git", ["clone", "--quiet", "--no-hardlinks", projectRoot, partial]);
    await symlink(join(projectRoot, "node_modules"), join(partial, "node_modules"));
    await rename(partial, root);
  }
  const indexer = join(projectRoot, "node_modules/@sourcegraph/scip-typescript/dist/src/main.js");
  const scip = await indexed(root, (output) =>
    execa(process.execPath, [indexer, "index", "--output", output], { cwd: root }),
  );
  return { name: "TypeScript (this repository)", root, scip, isBuiltIn: true };
}

export async function python(): Promise<Subject> {
  const root = await wheelRepository("rich==13.9.4");
  const environment = join(cacheFolder("bench"), "no-packages.json");
  await writeFile(environment, "[]");
  const options = [
    "--project-name",
    "rich",
    "--project-version",
    "_",
    "--environment",
    environment,
    "--quiet",
  ];
  const indexer = await scipPython();
  const scip = await indexed(root, (output) =>
    execa(process.execPath, [indexer, "index", "--cwd", root, "--output", output, ...options]),
  );
  return { name: "Python (rich 13.9.4)", root, scip, isBuiltIn: true };
}

async function go(): Promise<Subject> {
  const root = await goRepository("github.com/go-chi/chi/v5@v5.2.1");
  const scip = await indexed(root, async (output) => {
    const program = join(import.meta.dirname, "go-types");
    const { stdout } = await execa("go", ["run", ".", root], { cwd: program, maxBuffer: 1024 ** 3 });
    await writeFile(output, scipOf(JSON.parse(stdout)));
  });
  return { name: "Go (chi 5.2.1)", root, scip, isBuiltIn: false };
}

async function indexed(root: string, make: (output: string) => Promise<unknown>): Promise<string> {
  const file = `${root}.scip`;
  if (existsSync(file)) return file;
  await make(`${file}.partial`);
  await rename(`${file}.partial`, file);
  return file;
}

interface Occurrence {
  symbol: string;
  name: string;
  line: number;
  column: number;
  definition: boolean;
  /** Known only in its file. */
  local: boolean;
}

/** What go-types found, as SCIP (scip.proto: Index, Metadata, ToolInfo, Document, Occurrence). */
function scipOf(files: Record<string, Occurrence[]>): Uint8Array {
  const index = new BinaryWriter();
  const message = (writer: BinaryWriter, field: number) => writer.tag(field, WireType.LengthDelimited).fork();
  message(message(index, 1), 2).tag(1, WireType.LengthDelimited).string("go-types").join().join();
  for (const [path, occurrences] of Object.entries(files)) {
    const document = message(index, 2);
    document.tag(1, WireType.LengthDelimited).string(path);
    for (const { symbol, name, line, column, definition, local } of occurrences) {
      const occurrence = message(document, 2);
      const range = message(occurrence, 1);
      for (const n of [line, column, column + name.length]) range.int32(n);
      range.join();
      const id = local ? `local ${symbol}` : `go-types gomod module _ \`${symbol}\`/${name}.`;
      occurrence.tag(2, WireType.LengthDelimited).string(id);
      if (definition) occurrence.tag(3, WireType.Varint).int32(1);
      occurrence.join();
    }
    // PositionEncoding: UTF8CodeUnitOffsetFromLineStart.
    document.tag(6, WireType.Varint).int32(1);
    document.join();
  }
  return index.finish();
}
