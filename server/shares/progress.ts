/** Reports how far a call is. `total` is undefined if nobody knows it. */
export type Progress = (done: number, total: number | undefined, message: string) => void;

/** What each part of the server that works for a call needs to know of it. */
export interface CallContext {
  /** Aborted when the call is cancelled. */
  readonly signal: AbortSignal;
  /** Undefined unless the caller asked for progress. */
  readonly progress?: Progress | undefined;
}
