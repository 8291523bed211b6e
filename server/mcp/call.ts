import type { RequestId } from "../store/store.ts";

/** One POST of a session, from its arrival to its last answer. */
export class Call {
  readonly session: string;
  readonly requests: readonly RequestId[];
  /** Its stream; undefined until the first event. */
  stream: string | undefined;
  /** The whole answer was handed to the web server, which may still hold the last part of it: see Delivered. */
  delivered = false;
  /** All its requests are answered or cancelled. */
  finished = false;
  /** The store has its row. */
  written = false;
  /** Number of the next event. */
  n = 0;
  /** The constant part of its event ids. */
  tag = "";
  /** Time of arrival, by the journal's clock. */
  startedAt: number | undefined;
  /** Its session was removed: nobody will ask for it. */
  abandoned = false;
  unwritten: { n: number; message: string }[] = [];
  /** The call of the same session that began before it and is in progress too. See OpenCalls. */
  before: Call | undefined;
  readonly #pending: RequestId[];
  #readers: Set<string> | undefined;

  constructor(session: string, requests: readonly RequestId[]) {
    this.session = session;
    this.requests = requests;
    this.#pending = [...requests];
  }

  /** Instances that read its events from the store; "*" for any. */
  get readers(): Set<string> {
    this.#readers ??= new Set();
    return this.#readers;
  }

  /** Requests that are not answered yet. */
  get pending(): readonly RequestId[] {
    return [...this.#pending];
  }

  answered(id: RequestId): void {
    const place = this.#pending.indexOf(id);
    if (place >= 0) this.#pending.splice(place, 1);
    if (this.#pending.length === 0) this.finished = true;
  }
}
