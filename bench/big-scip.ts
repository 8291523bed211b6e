import { once } from "node:events";
import { createWriteStream, existsSync } from "node:fs";
import { readFile, rename } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { finished } from "node:stream/promises";
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import type { BigRepository } from "./big-repository.ts";

/** Most definitions of a name that its uses are spread over. A compiler would know which one each of them means. */
const MAX_HOMES = 50;
const IDENTIFIER = /[\p{L}_$][\p{L}\p{N}_$]*/gu;
const SCRIPT = /\.[cm]?[jt]s$/;

interface Definition {
  path: string;
  line: number;
  /** In the file: descriptors of SCIP. */
  symbol: string;
}

/**
 * An index of the size that a compiler's would have, without the hour that a compiler takes for a million lines: the definitions are those of
 * the lexical index, and each other place of such a name is a use of one of them, in the same file if there is one. Kept in the cache.
 *
 * @param database the lexical index of the repository
 * @returns the SCIP file
 */
export async function bigScip({ root }: BigRepository, database: string): Promise<string> {
  const file = `${root}.scip`;
  if (existsSync(file)) return file;
  const db = new DatabaseSync(database, { readOnly: true });
  const paths = db
    .prepare("SELECT path FROM files ORDER BY path")
    .all()
    .map(({ path }) => String(path))
    .filter((path) => SCRIPT.test(path));
  const rows = db
    .prepare(
      "SELECT path, bare, parent, line FROM symbols JOIN files ON files.id = symbols.file ORDER BY path, line",
    )
    .all();
  db.close();
  const homes = new Map<string, Definition[]>();
  for (const row of rows) {
    const path = String(row.path);
    if (!SCRIPT.test(path)) continue;
    const bare = String(row.bare);
    const known = homes.get(bare) ?? [];
    homes.set(bare, known);
    if (known.length < MAX_HOMES)
      known.push({ path, line: Number(row.line), symbol: symbolOf(path, String(row.parent), bare) });
  }
  const output = createWriteStream(`${file}.partial`);
  output.write(metadata());
  for (const path of paths) {
    const bytes = documentOf(path, await readFile(join(root, path), "utf8"), homes);
    if (!output.write(bytes)) await once(output, "drain");
  }
  await finished(output.end());
  await rename(`${file}.partial`, file);
  return file;
}

const symbolOf = (path: string, parent: string, name: string) =>
  `bench npm code 1.0.0 \`${path}\`/${
    parent === ""
      ? ""
      : `${parent
          .split("/")
          .map((part) => `\`${part}\``)
          .join("#")}#`
  }${name}.`;

/** scip.proto: Index, Metadata, ToolInfo, Document, Occurrence. */
const message = (writer: BinaryWriter, field: number) => writer.tag(field, WireType.LengthDelimited).fork();

function metadata(): Uint8Array {
  const index = new BinaryWriter();
  message(message(index, 1), 2).tag(1, WireType.LengthDelimited).string("bench").join().join();
  return index.finish();
}

function documentOf(
  path: string,
  text: string,
  homes: ReadonlyMap<string, readonly Definition[]>,
): Uint8Array {
  const index = new BinaryWriter();
  const document = message(index, 2);
  document.tag(1, WireType.LengthDelimited).string(path);
  for (const [at, line] of text.split("\n").entries())
    for (const { 0: name, index: column } of line.matchAll(IDENTIFIER)) {
      const all = homes.get(name);
      const home =
        all?.find((one) => one.path === path && one.line === at + 1) ??
        all?.find((one) => one.path === path) ??
        all?.[path.length % all.length];
      if (!home) continue;
      const occurrence = message(document, 2);
      const range = message(occurrence, 1);
      for (const n of [at, column, column + name.length]) range.int32(n);
      range.join();
      occurrence.tag(2, WireType.LengthDelimited).string(home.symbol);
      if (home.path === path && home.line === at + 1) occurrence.tag(3, WireType.Varint).int32(1);
      occurrence.join();
    }
  document.join();
  return index.finish();
}
