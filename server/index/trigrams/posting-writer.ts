import type { DatabaseSync } from "node:sqlite";
import { decodeIds, encodeIds } from "./postings.ts";

/** Number of segments that a key has room for. */
export const SEGMENTS = 256;
/** Number of postings that are sorted in memory, 16 bytes each. */
const BUFFERED = 1 << 21;
/** With more segments they are merged: each of them is a row to read for each trigram of a query. */
const MAX_SEGMENTS = 24;
const DIGIT = 1 << 12;

/** The key of the files with a trigram in a segment. */
export const postingKey = (trigram: number, segment: number) => trigram * SEGMENTS + segment;

/**
 * Writes the table `trigrams`: for each trigram the ids of the files that have it. Ids only grow, and a list is never changed: each flush
 * writes a new segment. The ids of removed files stay until segments are merged.
 */
export class PostingWriter {
  readonly #db: DatabaseSync;
  /** The buffered postings: one trigram and one id each. Memory is used as they fill. */
  readonly #trigrams = new Uint32Array(BUFFERED);
  readonly #ids = new Uint32Array(BUFFERED);
  #count = 0;

  constructor(db: DatabaseSync) {
    this.#db = db;
  }

  /** Adds a file. @param id larger than all before */
  add(id: number, trigrams: Uint32Array): void {
    for (const trigram of trigrams) {
      if (this.#count === BUFFERED) this.flush();
      this.#trigrams[this.#count] = trigram;
      this.#ids[this.#count++] = id;
    }
  }

  flush(): void {
    if (this.#count === 0) return;
    const [trigrams, ids] = this.#sorted();
    if (segmentsOf(this.#db).length >= MAX_SEGMENTS) mergeSegments(this.#db);
    const segment = (segmentsOf(this.#db).at(-1) ?? -1) + 1;
    const insert = this.#db.prepare("INSERT INTO trigrams (key, ids) VALUES (?, ?)");
    for (let start = 0, end = 0; start < trigrams.length; start = end) {
      const trigram = trigrams[start] as number;
      while (trigrams[end] === trigram) end++;
      insert.run(postingKey(trigram, segment), encodeIds(ids.subarray(start, end)));
    }
    this.#db.prepare("INSERT INTO trigram_segments (segment) VALUES (?)").run(segment);
    this.#count = 0;
  }

  /** The postings by trigram, those of a trigram by id. It is a radix sort with two digits of 12 bits. */
  #sorted(): [Uint32Array, Uint32Array] {
    let from: [Uint32Array, Uint32Array] = [
      this.#trigrams.subarray(0, this.#count),
      this.#ids.subarray(0, this.#count),
    ];
    for (const shift of [0, 12]) {
      const [keys, ids] = from;
      const starts = new Uint32Array(DIGIT + 1);
      for (const key of keys) (starts[((key >>> shift) & (DIGIT - 1)) + 1] as number)++;
      for (let digit = 1; digit <= DIGIT; digit++)
        starts[digit] = (starts[digit] ?? 0) + (starts[digit - 1] ?? 0);
      const to: typeof from = [new Uint32Array(this.#count), new Uint32Array(this.#count)];
      for (const [n, key] of keys.entries()) {
        const digit = (key >>> shift) & (DIGIT - 1);
        const at = starts[digit] as number;
        starts[digit] = at + 1;
        to[0][at] = key;
        to[1][at] = ids[n] as number;
      }
      from = to;
    }
    return from;
  }
}

function segmentsOf(db: DatabaseSync): number[] {
  const rows = db.prepare("SELECT segment FROM trigram_segments ORDER BY segment").all();
  return rows.map((row) => Number(row.segment));
}

/** Makes one segment of all, without the ids of removed files. */
function mergeSegments(db: DatabaseSync): void {
  const living = new Set(
    db
      .prepare("SELECT id FROM texts")
      .all()
      .map((row) => Number(row.id)),
  );
  db.exec("CREATE TABLE merged (key INTEGER PRIMARY KEY, ids BLOB NOT NULL)");
  const insert = db.prepare("INSERT INTO merged (key, ids) VALUES (?, ?)");
  let trigram = -1;
  let ids: number[] = [];
  const write = () => {
    if (ids.length > 0) insert.run(postingKey(trigram, 0), encodeIds(Uint32Array.from(ids)));
    ids = [];
  };
  // The segments of a trigram are neighbours, in the order of their ids.
  for (const row of db.prepare("SELECT key, ids FROM trigrams ORDER BY key").iterate()) {
    const next = Math.floor(Number(row.key) / SEGMENTS);
    if (next !== trigram) write();
    trigram = next;
    for (const id of decodeIds(row.ids as Uint8Array)) if (living.has(id)) ids.push(id);
  }
  write();
  db.exec(`DROP TABLE trigrams; ALTER TABLE merged RENAME TO trigrams; DELETE FROM trigram_segments;
    INSERT INTO trigram_segments VALUES (0)`);
}
