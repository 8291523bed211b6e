/** Interval between two attempts to write, milliseconds. */
const RETRY_MS = 2_000;

interface Entry {
  readonly write: () => Promise<void>;
  /** Something was added after the last attempt started, which may not have written it. */
  added: boolean;
}

/**
 * The writes that failed because the store was away, by session. Each is retried until it succeeds. Until then the session must stay in
 * memory, which has the only copy.
 */
export class PendingWrites {
  readonly #entries = new Map<string, Entry>();
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  has(session: string): boolean {
    return this.#entries.has(session);
  }

  /** @param write writes the session as it is when called. A write that is pending already is kept, since it writes the same or more. */
  add(session: string, write: () => Promise<void>): void {
    const entry = this.#entries.get(session) ?? { write, added: true };
    entry.added = true;
    this.#entries.set(session, entry);
    this.#schedule();
  }

  delete(session: string): void {
    this.#entries.delete(session);
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  #schedule(): void {
    if (!this.#closed) this.#timer ??= setTimeout(() => void this.#retry(), RETRY_MS).unref();
  }

  async #retry(): Promise<void> {
    for (const [session, entry] of [...this.#entries]) {
      if (!this.#entries.has(session)) continue;
      entry.added = false;
      try {
        await entry.write();
        if (!entry.added) this.#entries.delete(session);
      } catch {
        // store/outages.ts reports the outage. This entry goes to the end of the queue: if only its own write fails, the others need not wait.
        if (this.#entries.delete(session)) this.#entries.set(session, entry);
        break;
      }
    }
    this.#timer = undefined;
    if (this.#entries.size > 0) this.#schedule();
  }
}
