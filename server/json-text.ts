/** JSON text whose length in UTF-8 is known: to count the bytes of a long text takes as long as to send it. */
export class MeasuredJson {
  readonly text: string;
  /** Of UTF-8. */
  readonly bytes: number;

  constructor(text: string, bytes = Buffer.byteLength(text)) {
    this.text = text;
    this.bytes = bytes;
  }

  /** Characters. */
  get length(): number {
    return this.text.length;
  }

  toString(): string {
    return this.text;
  }
}

let lastValue: object | undefined;
let last: MeasuredJson | undefined;

/**
 * An object as JSON. An answer of a tool is needed as text several times (its bytes in the audit log, the text for old clients, the
 * response), and may be large: the last one is kept, so it is converted once. The object must not be changed afterwards.
 */
export function measuredJson(value: object): MeasuredJson {
  if (last && value === lastValue) return last;
  last = new MeasuredJson(JSON.stringify(value));
  lastValue = value;
  return last;
}

/** As measuredJson, the text alone. */
export function jsonText(value: object): string {
  return measuredJson(value).text;
}

/** The length of this text, bytes of UTF-8. */
export function jsonBytes(value: object): number {
  return measuredJson(value).bytes;
}

const PLAIN = /^[\w./:@~%+-]*$/;

/** A string as JSON. Nearly all have nothing to escape. */
export function jsonString(text: string): string {
  return PLAIN.test(text) ? `"${text}"` : JSON.stringify(text);
}

/** JSON text in pieces. A large one is written piece by piece: to join them first would copy it twice. */
export type JsonPieces = readonly (string | Buffer | MeasuredJson)[];
