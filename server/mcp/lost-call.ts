import type { RequestId } from "../store/store.ts";

/** The error that ends a call without its answer, as JSON text. Default: the process that ran the call ended. */
export function lostCall(
  request: RequestId,
  message = "The call was lost: the server process that ran it ended. Call again.",
): string {
  return JSON.stringify({ jsonrpc: "2.0", id: request, error: { code: -32_603, message } });
}
