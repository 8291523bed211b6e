import { Refusal } from "../http/errors.ts";

/** Value of `Retry-After`, seconds. */
const RETRY_AFTER_S = 10;

/**
 * The store failed or cannot be reached. The client gets 503 with `Retry-After`, never 404: many clients give a session up for good after
 * a 404. The reason appears only in the log.
 */
export class StoreUnavailable extends Refusal {
  /** The store's own error message, for the log. */
  readonly reason: string;

  constructor(cause: unknown) {
    super(503, "The session store does not answer just now; try again soon", RETRY_AFTER_S);
    this.name = "StoreUnavailable";
    this.cause = cause;
    this.reason = cause instanceof Error ? cause.message : String(cause);
  }
}
