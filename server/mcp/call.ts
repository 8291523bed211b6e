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
  /** Instances that read its events from the store; "*" for any. */
  readonly readers = new Set<string>();
  /** Number of the next event. */
  n = 0;
  /** The constant part of its event ids. */
  tag = "";
  /** Time of arrival, by the journal's clock. */
  startedAt: number | undefined;
  /** Its session was removed: nobody will ask for it. */
  abandoned = false;
  unwritten: { n: number; message: string }[] = [];
  readonly #pending: Set<RequestId>;

  constructor(session: string, requests: readonly RequestId[]) {
    this.session = session;
    this.requests = requests;
    this.#pending = new Set(requests);
  }

  /** Requests that are not answered yet. */
  get pending(): readonly RequestId[] {
    return [...this.#pending];
  }

  answered(id: RequestId): void {
    this.#pending.delete(id);
    if (this.#pending.size === 0) this.finished = true;
  }
}
