import type { Call } from "./call.ts";

/** The calls of this instance: those that are in progress, and those whose events are not all delivered or written. */
export class OpenCalls {
  /** In progress, by session. */
  readonly #inProgress = new Map<string, Set<Call>>();
  readonly #byStream = new Map<string, Call>();

  /** Number of sessions with calls in progress, and number of streams. */
  get size(): { open: number; live: number } {
    return { open: this.#inProgress.size, live: this.#byStream.size };
  }

  start(call: Call): void {
    if (call.requests.length > 0 && !call.finished)
      this.#inProgress.set(call.session, (this.#inProgress.get(call.session) ?? new Set()).add(call));
  }

  finish(call: Call): void {
    const calls = this.#inProgress.get(call.session);
    calls?.delete(call);
    if (calls?.size === 0) this.#inProgress.delete(call.session);
  }

  inProgress(session: string): readonly Call[] {
    return [...(this.#inProgress.get(session) ?? [])];
  }

  busy(session: string): boolean {
    return this.#inProgress.has(session);
  }

  addStream(call: Call): void {
    if (call.stream !== undefined) this.#byStream.set(call.stream, call);
  }

  removeStream(call: Call): void {
    if (call.stream !== undefined) this.#byStream.delete(call.stream);
  }

  byStream(stream: string): Call | undefined {
    return this.#byStream.get(stream);
  }

  /** Lets go of the calls in progress of a session. @returns them */
  abandon(session: string): readonly Call[] {
    const calls = this.inProgress(session);
    for (const call of calls) {
      call.abandoned = true;
      call.finished = true;
      this.removeStream(call);
    }
    this.#inProgress.delete(session);
    return calls;
  }
}
