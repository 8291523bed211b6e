import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";

/** A document for `writeScip`. Ranges are 0-based: line, column, end of the column. */
export interface WrittenDocument {
  path: string;
  /** 1 UTF-8, 2 UTF-16, 3 UTF-32 */
  encoding?: number;
  occurrences: [symbol: string, line: number, column: number, end: number, role?: "definition"][];
  relations?: [from: string, to: string][];
}

/** An index as an indexer writes it. */
export function writeScip(documents: readonly WrittenDocument[], tool = "scip-test"): Uint8Array {
  const index = new BinaryWriter();
  index.tag(1, WireType.LengthDelimited).fork();
  index.tag(2, WireType.LengthDelimited).fork();
  index.tag(1, WireType.LengthDelimited).string(tool);
  index.join();
  index.join();
  for (const document of documents) {
    index.tag(2, WireType.LengthDelimited).fork();
    index.tag(1, WireType.LengthDelimited).string(document.path);
    for (const [symbol, line, column, end, role] of document.occurrences) {
      index.tag(2, WireType.LengthDelimited).fork();
      index.tag(1, WireType.LengthDelimited).fork();
      index.int32(line).int32(column).int32(end).join();
      index.tag(2, WireType.LengthDelimited).string(symbol);
      if (role) index.tag(3, WireType.Varint).int32(1);
      index.join();
    }
    for (const [from, to] of document.relations ?? []) {
      index.tag(3, WireType.LengthDelimited).fork();
      index.tag(1, WireType.LengthDelimited).string(from);
      index.tag(4, WireType.LengthDelimited).fork();
      index.tag(1, WireType.LengthDelimited).string(to);
      index.tag(2, WireType.Varint).bool(true);
      index.join();
      index.join();
    }
    if (document.encoding) index.tag(6, WireType.Varint).int32(document.encoding);
    index.join();
  }
  return index.finish();
}

/** The bytes in pieces, as a socket or a file brings them. */
export async function* piecesOf(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}
