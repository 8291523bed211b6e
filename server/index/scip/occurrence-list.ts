import { BinaryReader, BinaryWriter } from "@bufbuild/protobuf/wire";

/** A name in a document, and what it stands for. Lines and columns are 0-based; columns count in the document's unit. */
export interface Occurrence {
  line: number;
  column: number;
  endLine: number;
  endColumn: number;
  symbol: SymbolRef;
  isDefinition: boolean;
}

/** The id of a symbol in the database, or `-1 - n` for the nth local symbol of its document. */
export type SymbolRef = number;

/** Packs the occurrences of a document: some six bytes each. */
export function packOccurrences(occurrences: Occurrence[]): Uint8Array {
  const writer = new BinaryWriter();
  let before = 0;
  for (const o of occurrences.sort((a, b) => a.line - b.line || a.column - b.column)) {
    writer.uint32(o.line - before).uint32(o.column);
    writer.uint32(o.endLine - o.line).uint32(o.endColumn);
    const symbol = o.symbol < 0 ? (-1 - o.symbol) * 2 + 1 : o.symbol * 2;
    writer.uint32(symbol * 2 + (o.isDefinition ? 1 : 0));
    before = o.line;
  }
  return writer.finish();
}

/** The occurrences of a document, by line and column. */
export function unpackOccurrences(packed: Uint8Array): Occurrence[] {
  const reader = new BinaryReader(packed);
  const occurrences: Occurrence[] = [];
  let line = 0;
  while (reader.pos < reader.len) {
    line += reader.uint32();
    const column = reader.uint32();
    const endLine = line + reader.uint32();
    const endColumn = reader.uint32();
    const flags = reader.uint32();
    const symbol = flags >>> 1;
    occurrences.push({
      line,
      column,
      endLine,
      endColumn,
      symbol: symbol % 2 === 1 ? -1 - (symbol >>> 1) : symbol >>> 1,
      isDefinition: flags % 2 === 1,
    });
  }
  return occurrences;
}
