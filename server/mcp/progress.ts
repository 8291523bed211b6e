import type { ServerContext } from "@modelcontextprotocol/server";
import type { ToolContext } from "../tools/tool.ts";

/** Shortest time between two progress notifications of a call, milliseconds: more would only fill the stream. */
const INTERVAL_MS = 100;

/** Progress notifications for a caller that gave a `progressToken`; undefined for one that did not. */
export function progressOf({ mcpReq }: ServerContext): ToolContext["progress"] {
  const progressToken = mcpReq._meta?.progressToken;
  if (progressToken === undefined) return undefined;
  let last = Number.NEGATIVE_INFINITY;
  let reported = -1;
  return (done, total, message) => {
    const now = performance.now();
    // The protocol requires it to increase with each notification.
    if (done <= reported || now - last < INTERVAL_MS || mcpReq.signal.aborted) return;
    last = now;
    reported = done;
    const params = { progressToken, progress: done, total, message };
    mcpReq.notify({ method: "notifications/progress", params }).catch(() => undefined);
  };
}
