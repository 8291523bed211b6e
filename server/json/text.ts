import { randomUUID } from "node:crypto";
import { type JsonOfString, longString } from "./long-string.ts";

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
  last = objectJson(value);
  lastValue = value;
  return last;
}

/** Takes the place of a long string, and is in no other one. */
const MARK = `long-${randomUUID()}`;
const MARKED = JSON.stringify(MARK);

/** As JSON.stringify, but long strings among the members by longString. */
function objectJson(value: object): MeasuredJson {
  if (Array.isArray(value) || "toJSON" in value) return new MeasuredJson(JSON.stringify(value));
  const long: JsonOfString[] = [];
  let rest: Record<string, unknown> | undefined;
  for (const [name, member] of Object.entries(value)) {
    const json = typeof member === "string" ? longString(member) : undefined;
    if (!json) continue;
    rest ??= { ...value };
    rest[name] = MARK;
    long.push(json);
  }
  if (!rest) return new MeasuredJson(JSON.stringify(value));
  const [first = "", ...others] = JSON.stringify(rest).split(MARKED);
  let text = first;
  let bytes = Buffer.byteLength(first);
  for (const [n, part] of others.entries()) {
    const json = long[n] as JsonOfString;
    text += json.text + part;
    bytes += json.bytes + Buffer.byteLength(part);
  }
  return new MeasuredJson(text, bytes);
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

/** A short string as JSON. Nearly all have nothing to escape. */
export function jsonString(text: string): string {
  return PLAIN.test(text) ? `"${text}"` : JSON.stringify(text);
}

/** A text of any length as JSON. */
export function measuredString(text: string): MeasuredJson {
  const long = longString(text);
  return long ? new MeasuredJson(long.text, long.bytes) : new MeasuredJson(JSON.stringify(text));
}

/** JSON text in pieces. A large one is written piece by piece: to join them first would copy it twice. */
export type JsonPieces = readonly (string | Buffer | MeasuredJson)[];
