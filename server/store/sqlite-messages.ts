import { Periodic } from "../periodic.ts";
import type { SqliteDatabase } from "./sqlite-database.ts";

/** Interval at which other processes' messages are polled, milliseconds. `data_version` costs microseconds; without a change nothing else is read. */
const POLL_MS = 50;

/**
 * Messages between the processes that have the file open, in a table of that file. There is no second channel that would have to be found,
 * permitted and cleaned up after a kill -9, and a message is visible exactly when the data that it speaks of is.
 */
export class SqliteMessages {
  readonly #database: SqliteDatabase;
  readonly #polls = new Periodic({
    everyMs: POLL_MS,
    jitter: 0,
    round: () => this.poll(),
    onError: () => undefined,
  });
  #deliver: (() => void) | undefined;
  #version = -1;

  constructor(database: SqliteDatabase) {
    this.#database = database;
  }

  send(from: string, to: string, text: string, now: number): Promise<void> {
    return this.#database.write(() => void this.#database.sql.addMessage.run(from, to, text, now));
  }

  receive(instance: string, listener: (text: string) => void): void {
    const { sql, file } = this.#database;
    let last = (sql.lastMessage.get() as { id: number }).id;
    this.#deliver = () => {
      const rows = sql.messages.all(last) as { id: number; sender: string; target: string; body: string }[];
      for (const { id, sender, target, body } of rows) {
        last = id;
        if (sender !== instance && (target === instance || target === "*")) listener(body);
      }
    };
    if (file !== undefined) this.#polls.start();
  }

  poll(): void {
    if (!this.#deliver || !this.#database.isOpen) return;
    try {
      // Changes whenever another connection commits, not on our own commits.
      const { data_version: version } = this.#database.sql.dataVersion.get() as { data_version: number };
      if (version === this.#version) return;
      this.#deliver();
      this.#version = version;
    } catch {
      // Not readable at the moment. The next poll tries again; a lasting failure is reported by the next command.
    }
  }

  async close(): Promise<void> {
    this.#deliver = undefined;
    await this.#polls.stop();
  }
}
