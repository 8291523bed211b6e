import type { ToolContext } from "../tools/tool.ts";

/** Shortest time between two progress notifications of a call, milliseconds: more would only fill the stream. */
const INTERVAL_MS = 100;

/** What a call needs of its request to report progress. */
interface Reporting {
  readonly _meta?: { readonly progressToken?: string | number | undefined } | undefined;
  readonly signal: AbortSignal;
  notify(notification: {
    method: "notifications/progress";
    params: {
      progressToken: string | number;
      progress: number;
      total: number | undefined;
      message: string;
    };
  }): Promise<void>;
}

/** Progress notifications for a caller that gave a `progressToken`; undefined for one that did not. */
export function progressOf(request: Reporting): ToolContext["progress"] {
  const progressToken = request._meta?.progressToken;
  if (progressToken === undefined) return undefined;
  let last = Number.NEGATIVE_INFINITY;
  let reported = -1;
  return (done, total, message) => {
    const now = performance.now();
    // The protocol requires it to increase with each notification.
    if (done <= reported || now - last < INTERVAL_MS || request.signal.aborted) return;
    last = now;
    reported = done;
    const params = { progressToken, progress: done, total, message };
    request.notify({ method: "notifications/progress", params }).catch(() => undefined);
  };
}
