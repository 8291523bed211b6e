import { SUPPORTED_PROTOCOL_VERSIONS } from "@modelcontextprotocol/server";
import { RETRY_MS, SSE_HEADERS } from "../http/streams.ts";
import { STANDALONE } from "../store/store.ts";
import { parseEventId, streamTag } from "./event-id.ts";
import { type LegacyAnswer, refuse } from "./legacy-leg.ts";
import type { Session } from "./live-sessions.ts";
import { PAGE, resumeCall } from "./resume.ts";
import type { Sessions } from "./sessions.ts";
import { type Tail, tailStream } from "./tail.ts";
import type { Watch } from "./watch.ts";

/** A notification stream is read again after so long even if nobody said that it changed, milliseconds. */
const REREAD_MS = 30_000;
const TAG = streamTag({ stream: STANDALONE, instance: "", requests: [] });

/** What GET opens: a session's notifications, or after `Last-Event-ID` the rest of a stream that broke off. */
export class NotificationStreams {
  readonly #sessions: Sessions;
  readonly #watch: Watch;

  constructor(sessions: Sessions, watch: Watch) {
    this.#sessions = sessions;
    this.#watch = watch;
  }

  async open(session: Session, web: Request): Promise<LegacyAnswer> {
    const version = web.headers.get("mcp-protocol-version");
    if (version !== null && !SUPPORTED_PROTOCOL_VERSIONS.includes(version))
      return { response: refuse(400, -32_000, `Bad Request: Unsupported protocol version: ${version}`) };
    const last = web.headers.get("last-event-id");
    if (last === null) return this.#standing(session, undefined, (version ?? "") >= "2025-11-25");
    const id = parseEventId(last);
    if (!id)
      return {
        response: refuse(400, -32_000, `Bad Request: ${JSON.stringify(last)} is no event id of this server`),
      };
    if (id.stream === STANDALONE) return this.#standing(session, id.n, false);
    for (const request of id.requests) session.transport.closeSSEStream(request);
    const tail = await resumeCall(this.#sessions.resumeParts, session.id, id);
    // 204 is the one answer after which no client comes back (WHATWG HTML, server-sent events).
    return tail
      ? { response: answer(session, tail), paced: true }
      : { response: new Response(null, { status: 204 }) };
  }

  /**
   * A later GET takes over from an earlier one, whose connection may be dead without anybody having noticed: it is never refused.
   *
   * @param place the client's; undefined begins after what has been sent so far
   */
  async #standing(session: Session, place: number | undefined, prime: boolean): Promise<LegacyAnswer> {
    const { store, journal, keepAliveMs } = this.#sessions.resumeParts;
    let tail: Tail | undefined;
    let ended = false;
    const end = () => {
      ended = true;
      tail?.end();
    };
    // By the store's own numbers, which go on whatever this machine's clock says. Without the store the clock is the best guess.
    const last = await this.#sessions.take(session, end);
    const after = Math.min(place ?? Number.POSITIVE_INFINITY, last ?? place ?? Date.now() * 1_000 - 1);
    const source = {
      tag: TAG,
      read: async (from: number) => {
        const events = await store.events(session.id, STANDALONE, from, PAGE);
        if (events.length === 0) await this.#sessions.checkClaim(session, end);
        return { events, more: true };
      },
      change: () => journal.change(session.id, STANDALONE, REREAD_MS),
    };
    // From 2025-11-25 on clients take an event without data: a place to come back to before anything was sent.
    const opening = prime ? `id: ${after}${TAG}\nretry: ${RETRY_MS}\ndata: \n\n` : "";
    tail = tailStream(source, after, opening, keepAliveMs);
    if (ended) tail.end();
    else this.#watch.announce(session);
    const onEnd = () => this.#sessions.release(session, end);
    return { response: answer(session, tail), paced: true, onEnd };
  }
}

function answer(session: Session, { body }: Tail): Response {
  return new Response(body, { headers: { ...SSE_HEADERS, "mcp-session-id": session.id } });
}
