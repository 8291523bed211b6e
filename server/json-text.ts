/** An object as JSON text, with its length in bytes of UTF-8. */
interface Kept {
  readonly text: string;
  readonly bytes: number;
}

const large = new WeakMap<object, Kept>();
/** Of shorter texts only the last is kept, characters: to make one again takes less time than a WeakMap. */
const MIN_LARGE = 2_000;
const NONE = {};
let lastValue: object = NONE;
let last: Kept = { text: "", bytes: 0 };

function kept(value: object): Kept {
  if (value === lastValue) return last;
  const known = large.get(value);
  if (known) return known;
  const text = JSON.stringify(value);
  const made = { text, bytes: Buffer.byteLength(text) };
  if (text.length >= MIN_LARGE) large.set(value, made);
  else {
    lastValue = value;
    last = made;
  }
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
  return kept(value).bytes;
}

const PLAIN = /^[\w./:@~%+-]*$/;

/** A string as JSON. Nearly all have nothing to escape. */
export function jsonString(text: string): string {
  return PLAIN.test(text) ? `"${text}"` : JSON.stringify(text);
}

/** JSON text in pieces. A large one is written piece by piece: to join them first would copy it twice. */
export type JsonPieces = readonly (string | Buffer)[];
