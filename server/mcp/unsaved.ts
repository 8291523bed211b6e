/** Between two attempts to write, milliseconds. */
const SAVE_MS = 2_000;

/**
 * What could not be written because the store was away, by session. Each entry is tried again until the store takes it; until then the
 * session must stay in memory, for nothing else knows it.
 */
export class Unsaved {
  readonly #writes = new Map<string, () => Promise<void>>();
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  has(session: string): boolean {
    return this.#writes.has(session);
  }

  /** @param write writes the session as it is when called; a write that waits already stays, since it writes more or the same */
  add(session: string, write: () => Promise<void>): void {
    if (!this.#writes.has(session)) this.#writes.set(session, write);
    this.#schedule();
  }

  delete(session: string): void {
    this.#writes.delete(session);
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  #schedule(): void {
    if (!this.#closed) this.#timer ??= setTimeout(() => void this.#save(), SAVE_MS).unref();
  }

  async #save(): Promise<void> {
    try {
      for (const [session, write] of [...this.#writes]) {
        if (!this.#writes.has(session)) continue;
        await write();
        this.#writes.delete(session);
      }
    } catch {
      // Still away: the outage is reported where it is found out (see store/outages.ts).
    }
    this.#timer = undefined;
    if (this.#writes.size > 0) this.#schedule();
  }
}
