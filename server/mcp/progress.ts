import type { ServerContext } from "@modelcontextprotocol/server";
import type { ToolContext } from "../tools/tool.ts";

/** Between two progress notifications of a call, milliseconds: more would only fill the stream. */
const EVERY_MS = 100;

/** Progress notifications for a caller that gave a `progressToken`; undefined for one that did not. */
export function progressOf({ mcpReq }: ServerContext): ToolContext["progress"] {
  const progressToken = mcpReq._meta?.progressToken;
  if (progressToken === undefined) return undefined;
  let last = Number.NEGATIVE_INFINITY;
  let told = -1;
  return (done, total, message) => {
    const now = performance.now();
    // The protocol wants it to rise with each notification.
    if (done <= told || now - last < EVERY_MS || mcpReq.signal.aborted) return;
    last = now;
    told = done;
    const params = { progressToken, progress: done, total, message };
    mcpReq.notify({ method: "notifications/progress", params }).catch(() => undefined);
  };
}
