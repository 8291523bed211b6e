import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";

/**
 * SCIP, the format of precise indexes (github.com/sourcegraph/scip, scip.proto): one protobuf message `Index`, of which only the fields that
 * navigation needs are read. The input may come from a client, so each length is checked before memory is used for it.
 */

/** How the columns of a document count (`PositionEncoding`). */
export type ColumnUnit = "utf8" | "utf16" | "utf32";

export interface ScipMetadata {
  /** The indexer: "scip-typescript". */
  tool: string;
  version: string;
}

/** A place in a document where a symbol is named. Lines and columns are 0-based; the end is exclusive. */
export interface ScipOccurrence {
  symbol: string;
  line: number;
  column: number;
  endLine: number;
  endColumn: number;
  isDefinition: boolean;
}

/** `from` is another form of `to`: an implementation, or a name for the same thing. */
export interface ScipRelation {
  from: string;
  to: string;
}

export interface ScipDocument {
  /** Relative to the root of the index, as it was written there. */
  path: string;
  /** Undefined if the indexer does not say; the columns of most such indexers are UTF-16. */
  unit: ColumnUnit | undefined;
  occurrences: ScipOccurrence[];
  relations: ScipRelation[];
}

export type ScipPart = { metadata: ScipMetadata } | { document: ScipDocument };

/** Something in an index that is not SCIP, or above a limit. The message is for the person who made the index. */
export class ScipError extends Error {}

/** Limits of one message. A document of a million lines has some 100 MiB. */
const MAX_MESSAGE_BYTES = 64 * 1024 * 1024;
const MAX_OCCURRENCES = 2_000_000;
const MAX_SYMBOL = 4_096;
const MAX_PATH = 4_096;
/** Larger lines and columns do not fit into a document that can be served. */
const MAX_POSITION = 0x7fff_ffff;

const UNITS: Record<number, ColumnUnit> = { 1: "utf8", 2: "utf16", 3: "utf32" };
const DEFINITION = 1;

/**
 * Reads an index part by part, so that one document at a time is in memory. Several indexes one after the other are one index, as
 * protobuf has it.
 *
 * @throws ScipError for what is not SCIP
 */
export async function* scipParts(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<ScipPart> {
  for await (const { field, bytes } of messagesOf(chunks)) {
    try {
      if (field === 1) yield { metadata: metadataOf(bytes) };
      if (field === 2) yield { document: documentOf(bytes) };
    } catch (error) {
      throw error instanceof ScipError
        ? error
        : new ScipError(`not a SCIP index: ${(error as Error).message}`);
    }
  }
}

/** The fields of the outermost message. Each is a message itself (wire type 2). */
async function* messagesOf(
  chunks: AsyncIterable<Uint8Array>,
): AsyncGenerator<{ field: number; bytes: Uint8Array }> {
  let pieces: Uint8Array[] = [];
  let held = 0;
  let head: { field: number; length: number } | undefined;
  const joined = () => {
    const whole = pieces.length === 1 && pieces[0] ? pieces[0] : Buffer.concat(pieces);
    pieces = [whole];
    return whole;
  };
  const drop = (count: number) => {
    const rest = joined().subarray(count);
    pieces = rest.length > 0 ? [rest] : [];
    held = rest.length;
  };
  for await (const chunk of chunks) {
    pieces.push(chunk);
    held += chunk.length;
    for (;;) {
      if (!head) {
        const read = headOf(joined());
        if (!read) break;
        head = read;
        drop(read.size);
      }
      if (held < head.length) break;
      const { field, length } = head;
      const bytes = joined().subarray(0, length);
      yield { field, bytes };
      drop(length);
      head = undefined;
    }
  }
  if (head || held > 0) throw new ScipError("not a SCIP index: it ends in the middle of a message");
}

/** The tag and the length of a field; undefined if the bytes end before. */
function headOf(bytes: Uint8Array): { field: number; length: number; size: number } | undefined {
  const tag = varint(bytes, 0);
  const length = tag && varint(bytes, tag.end);
  if (tag && (tag.value & 7) !== WireType.LengthDelimited)
    throw new ScipError("not a SCIP index: its first level holds something else than messages");
  if (!tag || !length) return undefined;
  if (length.value > MAX_MESSAGE_BYTES)
    throw new ScipError(
      `a message of the index has ${length.value} bytes; at most ${MAX_MESSAGE_BYTES} are read`,
    );
  return { field: tag.value >>> 3, length: length.value, size: length.end };
}

function varint(bytes: Uint8Array, from: number): { value: number; end: number } | undefined {
  let value = 0;
  for (let n = 0; n < 5; n++) {
    const byte = bytes[from + n];
    if (byte === undefined) return undefined;
    value += (byte & 0x7f) * 2 ** (7 * n);
    if (byte < 0x80) return { value, end: from + n + 1 };
  }
  throw new ScipError("not a SCIP index: a length has more than five bytes");
}

/** Calls `use` for each field; those that it does not read are skipped. */
function fields(
  bytes: Uint8Array,
  use: (field: number, reader: BinaryReader, type: WireType) => boolean,
): void {
  const reader = new BinaryReader(bytes);
  while (reader.pos < reader.len) {
    const [field, type] = reader.tag();
    if (!use(field, reader, type)) reader.skip(type, field);
  }
}

function metadataOf(bytes: Uint8Array): ScipMetadata {
  const metadata: ScipMetadata = { tool: "", version: "" };
  fields(bytes, (field, reader) => {
    if (field !== 2) return false;
    fields(reader.bytes(), (inner, info) => {
      if (inner === 1) metadata.tool = info.string().slice(0, 200);
      else if (inner === 2) metadata.version = info.string().slice(0, 200);
      else return false;
      return true;
    });
    return true;
  });
  return metadata;
}

function documentOf(bytes: Uint8Array): ScipDocument {
  const document: ScipDocument = { path: "", unit: undefined, occurrences: [], relations: [] };
  fields(bytes, (field, reader) => {
    if (field === 1) document.path = checked(reader.string(), MAX_PATH, "a path");
    else if (field === 2) addOccurrence(document, reader.bytes());
    else if (field === 3) addRelations(document, reader.bytes());
    else if (field === 6) document.unit = UNITS[reader.int32()];
    else return false;
    return true;
  });
  return document;
}

function addOccurrence({ occurrences }: ScipDocument, bytes: Uint8Array): void {
  if (occurrences.length >= MAX_OCCURRENCES)
    throw new ScipError(`a document has more than ${MAX_OCCURRENCES} occurrences`);
  const range: number[] = [];
  let symbol = "";
  let roles = 0;
  fields(bytes, (field, reader, type) => {
    if (field === 1) readRange(reader, type, range);
    else if (field === 2) symbol = checked(reader.string(), MAX_SYMBOL, "a symbol");
    else if (field === 3) roles = reader.int32();
    else return false;
    return true;
  });
  // Without a symbol it is only a colour for editors.
  if (symbol === "") return;
  const [line, column, third, fourth] = range;
  if (line === undefined || column === undefined || third === undefined || range.length > 4)
    throw new ScipError(`a range has ${range.length} numbers instead of three or four`);
  if (range.some((n) => n < 0 || n > MAX_POSITION)) throw new ScipError("a range has a negative number");
  const [endLine, endColumn] = fourth === undefined ? [line, third] : [third, fourth];
  occurrences.push({ symbol, line, column, endLine, endColumn, isDefinition: (roles & DEFINITION) !== 0 });
}

/** Repeated numbers are packed, or one field each. */
function readRange(reader: BinaryReader, type: WireType, range: number[]): void {
  const end = type === WireType.LengthDelimited ? reader.uint32() + reader.pos : reader.pos + 1;
  if (end > reader.len) throw new ScipError("not a SCIP index: a range ends after its message");
  do range.push(reader.int32());
  while (reader.pos < end && range.length <= 4);
}

function addRelations({ relations }: ScipDocument, bytes: Uint8Array): void {
  let from = "";
  const related: string[] = [];
  fields(bytes, (field, reader) => {
    if (field === 1) from = checked(reader.string(), MAX_SYMBOL, "a symbol");
    else if (field === 4) {
      let to = "";
      let isReference = false;
      fields(reader.bytes(), (inner, relation) => {
        if (inner === 1) to = checked(relation.string(), MAX_SYMBOL, "a symbol");
        else if (inner === 2) isReference = relation.bool();
        else return false;
        return true;
      });
      if (isReference && to !== "") related.push(to);
    } else return false;
    return true;
  });
  for (const to of related) if (from !== "") relations.push({ from, to });
}

function checked(text: string, max: number, what: string): string {
  if (text.length > max)
    throw new ScipError(`${what} has ${text.length} characters; at most ${max} are read`);
  return text;
}
