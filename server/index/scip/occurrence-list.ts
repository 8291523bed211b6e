import { BinaryWriter } from "@bufbuild/protobuf/wire";

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

/**
 * The occurrences of a document, by line and column.
 *
 * @param wanted only those of these symbols. Default: all
 */
export function unpackOccurrences(packed: Uint8Array, wanted?: ReadonlySet<SymbolRef>): Occurrence[] {
  let at = 0;
  const number = () => {
    let byte = packed[at++] ?? 0;
    if (byte < 0x80) return byte;
    let value = byte & 0x7f;
    for (let shift = 7; byte >= 0x80; shift += 7) {
      byte = packed[at++] ?? 0;
      value |= (byte & 0x7f) << shift;
    }
    return value >>> 0;
  };
  const occurrences: Occurrence[] = [];
  let line = 0;
  while (at < packed.length) {
    line += number();
    const column = number();
    const endLine = line + number();
    const endColumn = number();
    const flags = number();
    const ref = flags >>> 1;
    const symbol = ref % 2 === 1 ? -1 - (ref >>> 1) : ref >>> 1;
    if (wanted && !wanted.has(symbol)) continue;
    occurrences.push({ line, column, endLine, endColumn, symbol, isDefinition: flags % 2 === 1 });
  }
  return occurrences;
}
