import type { EventStream } from "../http/event-stream.ts";
import type { History } from "./history.ts";
import { snapshot } from "./snapshot.ts";

/**
 * Sends what `/status` shows: the event `history`, a Snapshot, at once; then with each step `points`, a Snapshot with the steps that are new
 * or have changed.
 *
 * @param still whether the reader may go on, checked with each step. If not, the stream ends
 * @returns ends it
 */
export function sendStatus(
  history: History,
  stream: Pick<EventStream, "send" | "end">,
  still: () => Promise<boolean>,
): () => void {
  const send = (name: string, data: object) =>
    stream.send(`event: ${name}\ndata: ${JSON.stringify(data)}\n\n`);
  send("history", snapshot(history));
  return history.subscribe(async (points) => {
    if (await still().catch(() => false)) send("points", { ...snapshot(history), points });
    else stream.end("revoked");
  });
}
