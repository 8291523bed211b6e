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

/** A use of one symbol in a document. See Occurrence. */
export type Place = Pick<Occurrence, "line" | "column" | "isDefinition">;

/** The id of a symbol in the database, or `-1 - n` for the nth local symbol of its document. */
export type SymbolRef = number;

/** Packs the occurrences of a document, after sorting them by place: some six bytes each. */
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
  const numbers = new Numbers(packed);
  const occurrences: Occurrence[] = [];
  let line = 0;
  while (!numbers.isAtEnd) {
    line += numbers.next();
    const column = numbers.next();
    const endLine = line + numbers.next();
    const endColumn = numbers.next();
    const flags = numbers.next();
    const ref = flags >>> 1;
    const symbol = ref % 2 === 1 ? -1 - (ref >>> 1) : ref >>> 1;
    occurrences.push({ line, column, endLine, endColumn, symbol, isDefinition: flags % 2 === 1 });
  }
  return occurrences;
}

/** Packs the places of one symbol in a document, sorted by line: some three bytes each. */
export function packPlaces(places: readonly Place[]): Uint8Array {
  const writer = new BinaryWriter();
  let before = 0;
  for (const { line, column, isDefinition } of places) {
    writer.uint32((line - before) * 2 + (isDefinition ? 1 : 0)).uint32(column);
    before = line;
  }
  return writer.finish();
}

export function unpackPlaces(packed: Uint8Array): Place[] {
  const numbers = new Numbers(packed);
  const places: Place[] = [];
  let line = 0;
  while (!numbers.isAtEnd) {
    const flags = numbers.next();
    line += flags >>> 1;
    places.push({ line, column: numbers.next(), isDefinition: flags % 2 === 1 });
  }
  return places;
}

/** Reads numbers as protobuf writes them (varint). Faster than a BinaryReader, which checks each of them. */
class Numbers {
  readonly #packed: Uint8Array;
  #at = 0;

  constructor(packed: Uint8Array) {
    this.#packed = packed;
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#packed.length;
  }

  next(): number {
    let byte = this.#packed[this.#at++] ?? 0;
    if (byte < 0x80) return byte;
    let value = byte & 0x7f;
    for (let shift = 7; byte >= 0x80; shift += 7) {
      byte = this.#packed[this.#at++] ?? 0;
      value |= (byte & 0x7f) << shift;
    }
    return value >>> 0;
  }
}
