import type { History } from "./history.ts";
import { snapshot } from "./snapshot.ts";

/**
 * The event stream of `/status`: `history`, a Snapshot, at once; then with each step `points`, a Snapshot with the steps that are new or
 * have changed.
 *
 * @param still whether the reader may go on; asked with each step
 */
export function statusEvents(history: History, still: () => Promise<boolean>): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  const event = (name: string, data: object) =>
    encoder.encode(`event: ${name}\ndata: ${JSON.stringify(data)}\n\n`);
  let end: () => void = () => undefined;
  return new ReadableStream<Uint8Array>({
    start(controller) {
      controller.enqueue(event("history", snapshot(history)));
      end = history.subscribe(async (points) => {
        const allowed = await still().catch(() => false);
        try {
          if (allowed) return controller.enqueue(event("points", { ...snapshot(history), points }));
          end();
          controller.close();
        } catch {
          // The reader left meanwhile.
          end();
        }
      });
    },
    cancel: () => end(),
  });
}
