import { ToolError } from "../tool-error.ts";

/** The caller already has as much at once as it may have. The message names the limit and what to do. Over HTTP it becomes a 429. */
export class LimitReached extends ToolError {
  /** When a retry makes sense, seconds. What is counted here usually ends within moments. */
  readonly retryAfter = 1;

  constructor(message: string) {
    super(message);
    this.name = "LimitReached";
  }
}
