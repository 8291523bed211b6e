const texts = new WeakMap<object, string>();
/** Shorter texts are not kept, characters: to make one again takes less time than to keep it. */
const MIN_KEPT = 2_000;

/**
 * An object as JSON text. An answer of a tool is needed as text several times (its bytes in the audit log, the text for old clients, the
 * response), and is large: it is converted once. The object must not be changed afterwards.
 */
export function jsonText(value: object): string {
  const known = texts.get(value);
  if (known !== undefined) return known;
  const text = JSON.stringify(value);
  if (text.length >= MIN_KEPT) texts.set(value, text);
  return text;
}

/** JSON text in pieces. A large one is written piece by piece: to join them first would copy it twice. */
export type JsonPieces = readonly (string | Buffer)[];
