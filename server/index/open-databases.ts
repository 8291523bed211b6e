import type { DatabaseSync } from "node:sqlite";

/** Number of databases that stay open between jobs. */
const MAX_OPEN = 8;

/** The databases of one kind that a thread keeps open between its jobs. The least recently used are closed. */
export class OpenDatabases {
  readonly #connect: (file: string) => DatabaseSync;
  /** The least recently used first. */
  readonly #open = new Map<string, DatabaseSync>();

  constructor(connect: (file: string) => DatabaseSync) {
    this.#connect = connect;
  }

  /** @throws what opening the file throws */
  get(file: string): DatabaseSync {
    const db = this.#open.get(file) ?? this.#connect(file);
    this.#open.delete(file);
    this.#open.set(file, db);
    for (const oldest of this.#open.keys()) {
      if (this.#open.size <= MAX_OPEN) break;
      this.close(oldest);
    }
    return db;
  }

  close(file: string): void {
    this.#open.get(file)?.close();
    this.#open.delete(file);
  }

  files(): string[] {
    return [...this.#open.keys()];
  }
}
