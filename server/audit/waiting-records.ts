import type { AuditEvent } from "./record.ts";

/** The memory that is kept while few records wait, bytes. */
const MIN_BYTES = 64 * 1024;
/** A larger memory is given back when it is empty, bytes. */
const MAX_KEPT_BYTES = 4 * 1024 * 1024;
const LINE_BREAK = 10;

/** Records, each of them a line of JSON in UTF-8. They are valid until the next ones are taken. */
export interface TakenRecords {
  readonly lines: Buffer;
  readonly count: number;
}

/**
 * Records that wait for the disk, as bytes outside of V8's heap. As objects they would wait long enough to reach the part of the heap that only
 * a full collection frees. There are two memories in turn: one for the records that arrive, one for those that are being written.
 */
export class WaitingRecords {
  #bytes: Buffer = Buffer.allocUnsafeSlow(MIN_BYTES);
  #other: Buffer = Buffer.allocUnsafeSlow(MIN_BYTES);
  #used = 0;
  #count = 0;

  get count(): number {
    return this.#count;
  }

  get bytes(): number {
    return this.#used;
  }

  /** @param record JSON, which has no line breaks */
  add(record: AuditEvent | string): void {
    const json = typeof record === "string" ? record : JSON.stringify(record);
    // A character takes at most three bytes of UTF-8, one of UTF-16's pairs four.
    this.#reserve(this.#used + 3 * json.length + 1);
    this.#used += this.#bytes.write(json, this.#used);
    this.#bytes[this.#used++] = LINE_BREAK;
    this.#count++;
  }

  take(): TakenRecords {
    const taken = { lines: this.#bytes.subarray(0, this.#used), count: this.#count };
    const free = this.#other.length > MAX_KEPT_BYTES ? Buffer.allocUnsafeSlow(MIN_BYTES) : this.#other;
    this.#other = this.#bytes;
    this.#bytes = free;
    this.#used = 0;
    this.#count = 0;
    return taken;
  }

  /** They could not be written: they come before those that have arrived meanwhile. */
  putBack(records: TakenRecords): void {
    const arrived = { lines: this.#bytes.subarray(0, this.#used), count: this.#count };
    const { lines, count } = joined(records, arrived);
    this.#bytes = lines;
    this.#used = lines.length;
    this.#count = count;
  }

  #reserve(bytes: number): void {
    if (bytes <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(bytes, 2 * this.#bytes.length));
    this.#bytes.copy(larger, 0, 0, this.#used);
    this.#bytes = larger;
  }
}

export function joined(one: TakenRecords, other: TakenRecords): TakenRecords {
  return { lines: Buffer.concat([one.lines, other.lines]), count: one.count + other.count };
}

/** Each record of some lines. @returns where it begins and ends, without its line break */
export function* recordsOf(lines: Buffer): Generator<readonly [start: number, end: number]> {
  for (let start = 0; start < lines.length; ) {
    const end = lines.indexOf(LINE_BREAK, start);
    yield [start, end];
    start = end + 1;
  }
}
