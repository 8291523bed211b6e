import { ReusedMap } from "../reused-map.ts";
import type { Call } from "./call.ts";

/** The calls of this instance: those that are in progress, and those whose events are not all delivered or written. */
export class OpenCalls {
  /** In progress: the last one of each session, which leads to the others. A set for each session would cost every call one. */
  readonly #inProgress = new ReusedMap<string, Call>();
  readonly #byStream = new Map<string, Call>();

  /** Number of sessions with calls in progress, and number of streams. */
  get size(): { open: number; live: number } {
    return { open: this.#inProgress.size, live: this.#byStream.size };
  }

  start(call: Call): void {
    if (call.requests.length === 0 || call.finished || this.#inProgress.get(call.session) === call) return;
    call.before = this.#inProgress.get(call.session);
    this.#inProgress.set(call.session, call);
  }

  finish(call: Call): void {
    const last = this.#inProgress.get(call.session);
    if (last === call) {
      if (call.before) this.#inProgress.set(call.session, call.before);
      else this.#inProgress.delete(call.session);
    } else {
      let after = last;
      while (after && after.before !== call) after = after.before;
      if (after) after.before = call.before;
    }
    call.before = undefined;
  }

  inProgress(session: string): readonly Call[] {
    const calls: Call[] = [];
    for (let call = this.#inProgress.get(session); call; call = call.before) calls.unshift(call);
    return calls;
  }

  busy(session: string): boolean {
    return this.#inProgress.get(session) !== undefined;
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
