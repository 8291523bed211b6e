import type { DatabaseSync } from "node:sqlite";
import type { CodeSymbol } from "./code-symbol.ts";
import { encodeWord } from "./database.ts";
import { languageOf } from "./languages.ts";
import { bareName } from "./names.ts";
import { MAX_SYMBOLS, outlineOf } from "./symbols.ts";
import { codeView } from "./views/code-view.ts";
import { componentOf } from "./views/component.ts";

/** Number of lines in a passage, the unit of a search result. */
const CHUNK_LINES = 40;
/** A file with longer lines on average is minified or data, and its symbols are not indexed. Characters per line. */
const MAX_MEAN_LINE = 400;
/** Longest identifier in the index: longer ones are encoded data. */
const MAX_WORD = 80;

/** Writes the files of one index. All data of a file is replaced together. */
export class FileIndex {
  readonly #db: DatabaseSync;
  readonly #statements;

  constructor(db: DatabaseSync) {
    this.#db = db;
    const prepare = (sql: string) => db.prepare(sql);
    this.#statements = {
      leaveOut: prepare("INSERT OR REPLACE INTO left_out (path, why) VALUES (?, ?)"),
      dropLeftOut: prepare("DELETE FROM left_out WHERE path = ?"),
      find: prepare("SELECT id FROM files WHERE path = ?"),
      file: prepare(
        "INSERT INTO files (path, language, lines, size, package, oid) VALUES (?, ?, ?, ?, ?, ?)",
      ),
      symbol: prepare(
        `INSERT INTO symbols (file, name, bare, kind, parent, start_line, line, col, end_line, signature)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      ),
      chunk: prepare("INSERT INTO chunks (file, start_line, end_line) VALUES (?, ?, ?)"),
      text: prepare("INSERT INTO chunks_text (rowid, text) VALUES (?, ?)"),
      words: prepare("INSERT INTO words (rowid, word) VALUES (?, ?)"),
      dropText: prepare("DELETE FROM chunks_text WHERE rowid IN (SELECT id FROM chunks WHERE file = ?)"),
      dropWords: prepare("DELETE FROM words WHERE rowid = ?"),
      dropChunks: prepare("DELETE FROM chunks WHERE file = ?"),
      dropSymbols: prepare("DELETE FROM symbols WHERE file = ?"),
      dropFile: prepare("DELETE FROM files WHERE id = ?"),
    };
  }

  /** All paths in the index, also those that were left out. */
  paths(): string[] {
    return this.#db
      .prepare("SELECT path FROM files UNION SELECT path FROM left_out")
      .all()
      .map((row) => String(row.path));
  }

  remove(path: string): void {
    const s = this.#statements;
    s.dropLeftOut.run(path);
    const id = s.find.get(path)?.id as number | undefined;
    if (id === undefined) return;
    for (const drop of [s.dropText, s.dropChunks, s.dropWords, s.dropSymbols, s.dropFile]) drop.run(id);
  }

  /** Records that a file, or its symbols, are not in the index. */
  leaveOut(path: string, why: string): void {
    this.#statements.leaveOut.run(path, why);
  }

  /** Adds a file with git's hash of it. An earlier version of it must have been removed. */
  async add(path: string, text: string, oid: string): Promise<void> {
    const s = this.#statements;
    const lines = text.split("\n");
    if (lines.at(-1) === "") lines.pop();
    const language = languageOf(path);
    const minified = text.length > MAX_MEAN_LINE * Math.max(1, lines.length);
    const outline = language && !minified ? await outlineOf(text, language) : undefined;
    if (language && minified) this.leaveOut(path, "minified: no symbols");
    else if (language && !outline) this.leaveOut(path, "cannot be parsed: no symbols");
    else if (outline?.cut) this.leaveOut(path, `only its first ${MAX_SYMBOLS} symbols`);
    const values = [
      path,
      language?.name ?? null,
      lines.length,
      text.length,
      outline?.package ?? "",
      oid,
    ] as const;
    const id = Number(s.file.run(...values).lastInsertRowid);
    const component = language && componentOf(path, language, lines.length);
    if (component) this.#symbol(id, component);
    for (const symbol of outline?.symbols ?? []) this.#symbol(id, symbol);
    for (let start = 0; start < lines.length; start += CHUNK_LINES) {
      const piece = lines.slice(start, start + CHUNK_LINES);
      const chunk = s.chunk.run(id, start + 1, start + piece.length).lastInsertRowid;
      s.text.run(chunk, piece.join("\n"));
    }
    // A template may spell a name in another way than the code: `<my-button>`.
    const code = language?.container === "markup" ? codeView(text, language).text : "";
    s.words.run(id, wordsOf(`${text}\n${code}`));
  }

  #symbol(file: number, c: CodeSymbol): void {
    const place = [c.start_line, c.line, c.column, c.end_line] as const;
    this.#statements.symbol.run(file, c.name, bareName(c.name), c.kind, c.parent, ...place, c.signature);
  }
}

/** The distinct identifiers of a text, encoded for the `words` table. */
function wordsOf(text: string): string {
  const words = new Set<string>();
  for (const [word] of text.matchAll(/[\p{L}_$][\p{L}\p{N}_$]*/gu))
    if (word.length <= MAX_WORD) words.add(word);
  return encodeWord([...words].join(" "));
}
