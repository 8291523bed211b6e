import type { Principal } from "../auth/principal.ts";
import { inReadableType } from "./accept.ts";
import type { AnswerStream, HttpExchange } from "./http-exchange.ts";

/** Sends what an HTTP handler of the SDK answers. */
export async function sendSdkAnswer(
  http: HttpExchange,
  principal: Principal,
  batch: boolean,
  answer: (web: Request) => Promise<Response>,
  options: AnswerStream = { longLived: false },
): Promise<void> {
  const gone = new AbortController();
  http.onClose(() => {
    gone.abort();
  });
  const original = await answer(http.web(gone.signal));
  const response = await inReadableType(original, http.readable, gone.signal, batch).catch((error) => {
    options.onEnd?.("client_closed");
    if (!gone.signal.aborted) throw error;
  });
  if (!response) return;
  const headers = Object.fromEntries(response.headers);
  // Hop-by-hop: set by Node, and by us during a drain.
  delete headers.connection;
  if (response.body && headers["content-type"]?.startsWith("text/event-stream")) {
    const reader = response.body.getReader();
    const stream = http.stream(
      principal,
      {
        ...options,
        onEnd: (reason) => {
          reader.cancel(reason).catch(() => undefined);
          options.onEnd?.(reason);
        },
      },
      headers,
    );
    for (;;) {
      const { done, value } = await reader.read().catch((error: unknown) => {
        stream.fail(error);
        return { done: true, value: undefined };
      });
      if (done) return stream.finish();
      stream.send(value as Uint8Array);
    }
  }
  http.send(response.status, await response.text(), headers);
  options.onEnd?.("completed");
}
