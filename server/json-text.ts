/** An object as JSON text and, for a large one, as the bytes of this text. */
interface Kept {
  readonly text: string;
  readonly utf8: Buffer | undefined;
}

const large = new WeakMap<object, Kept>();
/** Shorter texts are not kept, characters: to make one again takes less time than to keep it. */
const MIN_KEPT = 2_000;

function kept(value: object): Kept {
  const known = large.get(value);
  if (known) return known;
  const text = JSON.stringify(value);
  if (text.length < MIN_KEPT) return { text, utf8: undefined };
  const made = { text, utf8: Buffer.from(text) };
  large.set(value, made);
  return made;
}

/**
 * An object as JSON text. An answer of a tool is needed as text several times (its bytes in the audit log, the text for old clients, the
 * response), and is large: it is converted once. The object must not be changed afterwards.
 */
export function jsonText(value: object): string {
  return kept(value).text;
}

/** The length of this text, bytes of UTF-8. */
export function jsonBytes(value: object): number {
  const { text, utf8 } = kept(value);
  return utf8?.length ?? Buffer.byteLength(text);
}

/** This text as a piece of a response. */
export function jsonPiece(value: object): string | Buffer {
  const { text, utf8 } = kept(value);
  return utf8 ?? text;
}

/** JSON text in pieces. A large one is written piece by piece: to join them first would copy it twice. */
export type JsonPieces = readonly (string | Buffer)[];
