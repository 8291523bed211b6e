import { SUPPORTED_PROTOCOL_VERSIONS } from "@modelcontextprotocol/server";
import { RETRY_MS, SSE_HEADERS } from "../http/event-stream.ts";
import { STANDALONE } from "../store/store.ts";
import type { ChangeWatcher } from "./change-watcher.ts";
import { parseEventId, streamTag } from "./event-id.ts";
import { errorResponse, type McpResponse } from "./exchange.ts";
import { PAGE, resumeCall } from "./resume.ts";
import type { Session } from "./session.ts";
import type { Sessions } from "./sessions.ts";
import { type Tail, tailStream } from "./tail.ts";

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
  web: Request,
): Promise<McpResponse> {
  const version = web.headers.get("mcp-protocol-version");
  if (version !== null && !SUPPORTED_PROTOCOL_VERSIONS.includes(version))
    return badRequest(`Unsupported protocol version: ${version}`);
  const last = web.headers.get("last-event-id");
  if (last === null) return notifications(parts, session, undefined, (version ?? "") >= "2025-11-25");
  const id = parseEventId(last);
  if (!id) return badRequest(`${JSON.stringify(last)} is not an event id of this server`);
  if (id.stream === STANDALONE) return notifications(parts, session, id.n, false);
  for (const request of id.requests) session.transport.closeSSEStream(request);
  const tail = await resumeCall(parts.sessions.resumeParts, session.id, id);
  // 204 is the one status after which clients do not reconnect (WHATWG HTML, server-sent events).
  return tail
    ? { response: answer(session, tail), paced: true }
    : { response: new Response(null, { status: 204 }) };
}

/**
 * A GET is never refused: it replaces an earlier one, whose connection may have died unnoticed.
 *
 * @param position where the client resumes; undefined starts after everything sent so far
 * @param prime start with an empty event, as an id to resume from
 */
async function notifications(
  { sessions, watcher }: Parts,
  session: Session,
  position: number | undefined,
  prime: boolean,
): Promise<McpResponse> {
  const { store, journal, keepAliveMs } = sessions.resumeParts;
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
    change: () => journal.change(session.id, STANDALONE, REREAD_MS),
  };
  // From 2025-11-25 on, clients accept an event without data: an id to resume from before anything was sent.
  const opening = prime ? `id: ${after}${TAG}\nretry: ${RETRY_MS}\ndata: \n\n` : "";
  tail = tailStream(source, after, opening, keepAliveMs);
  if (ended) tail.end();
  else watcher.notify(session);
  const onEnd = () => sessions.claims.release(session, end);
  return { response: answer(session, tail), paced: true, onEnd };
}

function badRequest(why: string): McpResponse {
  return { response: errorResponse(400, -32_000, `Bad Request: ${why}`) };
}

function answer(session: Session, { body }: Tail): Response {
  return new Response(body, { headers: { ...SSE_HEADERS, "mcp-session-id": session.id } });
}
