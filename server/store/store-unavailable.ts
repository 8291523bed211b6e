import { Refusal } from "../http/errors.ts";

/** When a client should try again, seconds. */
const RETRY_AFTER_S = 10;

/**
 * The store failed or cannot be reached. A client is answered 503 with `Retry-After`, never 404: many clients give a session up for good
 * after a 404. The reason stays in the log.
 */
export class StoreUnavailable extends Refusal {
  /** What the store said, for the log. */
  readonly reason: string;

  constructor(cause: unknown) {
    super(503, "The session store does not answer just now; try again soon", RETRY_AFTER_S);
    this.name = "StoreUnavailable";
    this.cause = cause;
    this.reason = cause instanceof Error ? cause.message : String(cause);
  }
}
