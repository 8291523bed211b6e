/** Between two attempts to write, milliseconds. */
const SAVE_MS = 2_000;

interface Entry {
  readonly write: () => Promise<void>;
  /** Something was added after the last attempt began: that attempt may not have written it. */
  added: boolean;
}

/**
 * What could not be written because the store was away, by session. Each entry is tried again until the store takes it; until then the
 * session must stay in memory, for nothing else knows it.
 */
export class Unsaved {
  readonly #entries = new Map<string, Entry>();
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  has(session: string): boolean {
    return this.#entries.has(session);
  }

  /** @param write writes the session as it is when called; a write that waits already stays, since it writes more or the same */
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
    if (!this.#closed) this.#timer ??= setTimeout(() => void this.#save(), SAVE_MS).unref();
  }

  async #save(): Promise<void> {
    for (const [session, entry] of [...this.#entries]) {
      if (!this.#entries.has(session)) continue;
      entry.added = false;
      try {
        await entry.write();
        if (!entry.added) this.#entries.delete(session);
      } catch {
        // Still away: the outage is reported where it is found out (see store/outages.ts). The others come first next time, lest one that
        // is refused for itself keeps them waiting.
        if (this.#entries.delete(session)) this.#entries.set(session, entry);
        break;
      }
    }
    this.#timer = undefined;
    if (this.#entries.size > 0) this.#schedule();
  }
}
