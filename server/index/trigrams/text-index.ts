import { lstatSync } from "node:fs";
import { join } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { Searchable } from "../text/searchable.ts";
import type { LoadedFile } from "../work-tree.ts";
import { PostingWriter } from "./posting-writer.ts";
import { TrigramCollector } from "./symbols.ts";

/** Writes what searches of text need of the files: their trigrams, and by which state of them a change is noticed. */
export class TextIndex {
  readonly #db: DatabaseSync;
  /** Made with the first file: they take much memory. */
  #collector: TrigramCollector | undefined;
  #postings: PostingWriter | undefined;
  readonly #insert;
  readonly #delete;

  constructor(db: DatabaseSync) {
    this.#db = db;
    this.#insert = db.prepare(
      "INSERT INTO texts (path, searchable, size, changed, oid) VALUES (?, ?, ?, ?, ?)",
    );
    this.#delete = db.prepare("DELETE FROM texts WHERE path = ?");
  }

  paths(): string[] {
    return this.#db
      .prepare("SELECT path FROM texts")
      .all()
      .map((row) => String(row.path));
  }

  remove(path: string): void {
    this.#delete.run(path);
  }

  /** Adds a file that `remove` removed before. What is not a regular file is not added. */
  add(path: string, { text, oid = "", state, why }: LoadedFile): void {
    if (!state) return;
    const without = why === "binary" ? Searchable.binary : Searchable.tooLarge;
    const searchable = text === undefined ? without : Searchable.text;
    const row = this.#insert.run(path, searchable, state.size, state.changed, oid);
    if (text === undefined) return;
    this.#collector ??= new TrigramCollector();
    this.#postings ??= new PostingWriter(this.#db);
    this.#postings.add(Number(row.lastInsertRowid), this.#collector.of(text));
  }

  /** Writes what is buffered. Call it once, after the last file. */
  finish(): void {
    this.#postings?.flush();
  }

  /** The files whose state is not the recorded one, with their recorded hash. */
  touched(root: string): Map<string, string> {
    const found = new Map<string, string>();
    for (const { path, size, changed, oid } of this.#db
      .prepare("SELECT path, size, changed, oid FROM texts")
      .iterate()) {
      const stat = lstatSync(join(root, String(path)), { throwIfNoEntry: false });
      if (stat && (stat.size !== size || stat.ctimeMs !== changed)) found.set(String(path), String(oid));
    }
    return found;
  }

  /** Records that a file has another state and the same content. */
  touch(path: string, { size, changed }: NonNullable<LoadedFile["state"]>): void {
    this.#db.prepare("UPDATE texts SET size = ?, changed = ? WHERE path = ?").run(size, changed, path);
  }
}
