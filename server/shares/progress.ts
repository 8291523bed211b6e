/** Reports the progress of a call. `total` is undefined if it is unknown. */
export type Progress = (done: number, total: number | undefined, message: string) => void;

/** What the code that works for a call needs to know about it. */
export interface CallContext {
  /** Aborted when the call is cancelled. */
  readonly signal: AbortSignal;
  /** Undefined unless the caller asked for progress. */
  readonly progress?: Progress | undefined;
}
