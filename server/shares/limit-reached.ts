import { ToolError } from "../tool-error.ts";

/** A caller has as much at once as it may have. The text names the limit and what to do; over HTTP it is a 429. */
export class LimitReached extends ToolError {
  /** Worth another attempt after so long, seconds: what is counted here ends within moments. */
  readonly retryAfter = 1;

  constructor(message: string) {
    super(message);
    this.name = "LimitReached";
  }
}
