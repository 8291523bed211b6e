import { SUPPORTED_PROTOCOL_VERSIONS } from "@modelcontextprotocol/server";
import type { Principal } from "../auth/principal.ts";
import { RETRY_MS } from "../http/event-stream.ts";
import { STANDALONE } from "../store/store.ts";
import type { ChangeWatcher } from "./change-watcher.ts";
import { parseEventId, streamTag } from "./event-id.ts";
import type { HttpExchange } from "./http-exchange.ts";
import { PAGE, resumeCall } from "./resume.ts";
import type { Session } from "./session.ts";
import type { Sessions } from "./sessions.ts";
import { Tail } from "./tail.ts";

/** Interval at which a notification stream is read from the store even without a wakeup, milliseconds. */
const REREAD_MS = 30_000;
const TAG = streamTag({ stream: STANDALONE, instance: "", requests: [] });

interface Parts {
  readonly sessions: Sessions;
  readonly watcher: ChangeWatcher;
}

/** The stream that GET opens: a session's notifications, or with `Last-Event-ID` the rest of a stream that broke off. */
export async function openNotificationStream(
  parts: Parts,
  session: Session,
  http: HttpExchange,
  principal: Principal,
): Promise<void> {
  const version = http.header("mcp-protocol-version");
  if (version !== undefined && !SUPPORTED_PROTOCOL_VERSIONS.includes(version))
    return badRequest(http, `Unsupported protocol version: ${version}`);
  const last = http.header("last-event-id");
  if (last === undefined)
    return notifications(parts, session, http, principal, undefined, (version ?? "") >= "2025-11-25");
  const id = parseEventId(last);
  if (!id) return badRequest(http, `${JSON.stringify(last)} is not an event id of this server`);
  if (id.stream === STANDALONE) return notifications(parts, session, http, principal, id.n, false);
  for (const request of id.requests) session.transport.release(request);
  const tail = await resumeCall(parts.sessions.resumeParts, session.id, id);
  // 204 is the one status after which clients do not reconnect (WHATWG HTML, server-sent events).
  if (!tail) return http.send(204, "");
  sendTail(tail, parts, session, http, principal);
}

/**
 * A GET is never refused: it replaces an earlier one, whose connection may have died unnoticed.
 *
 * @param position where the client resumes; undefined starts after everything sent so far
 * @param prime start with an empty event, as an id to resume from
 */
async function notifications(
  parts: Parts,
  session: Session,
  http: HttpExchange,
  principal: Principal,
  position: number | undefined,
  prime: boolean,
): Promise<void> {
  const { sessions, watcher } = parts;
  const { store, journal } = sessions.resumeParts;
  let tail: Tail | undefined;
  let ended = false;
  const end = () => {
    ended = true;
    tail?.end();
  };
  // The store's own numbers rise whatever this machine's clock says. Without the store the clock is the best guess.
  const last = await sessions.claims.claim(session, end);
  const after = Math.min(position ?? Number.POSITIVE_INFINITY, last ?? position ?? Date.now() * 1_000 - 1);
  const source = {
    tag: TAG,
    read: async (from: number) => {
      const events = await store.events(session.id, STANDALONE, from, PAGE);
      if (events.length === 0) await sessions.claims.check(session, end);
      return { events, more: true };
    },
    watch: (onChange: () => void) => journal.watch(session.id, STANDALONE, REREAD_MS, onChange),
  };
  // From 2025-11-25 on, clients accept an event without data: an id to resume from before anything was sent.
  const opening = prime ? `id: ${after}${TAG}\nretry: ${RETRY_MS}\ndata: \n\n` : "";
  tail = new Tail(source, after, opening);
  if (ended) tail.end();
  sendTail(tail, parts, session, http, principal, () => sessions.claims.release(session, end));
  if (!ended) watcher.notify(session);
}

function sendTail(
  tail: Tail,
  { sessions }: Parts,
  session: Session,
  http: HttpExchange,
  principal: Principal,
  onEnd?: () => void,
): void {
  const stream = http.stream(
    principal,
    {
      session: session.id,
      longLived: true,
      paced: true,
      keepAliveMs: sessions.resumeParts.keepAliveMs,
      onRoom: () => tail.resume(),
      onEnd: () => {
        tail.stop();
        onEnd?.();
      },
    },
    session.transport.headers,
  );
  tail.start(stream);
}

function badRequest(http: HttpExchange, why: string): void {
  http.error(400, -32_000, `Bad Request: ${why}`);
}
