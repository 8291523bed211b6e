import type { Store, StoredEvent } from "../store/store.ts";
import { LAST_N, type RequestId } from "../store/store.ts";
import { type EventId, streamTag } from "./event-id.ts";
import type { Journal } from "./journal.ts";
import type { Peers } from "./peers.ts";
import { type Tail, tailStream } from "./tail.ts";

/** A stream that is followed is read again after so long even if nobody said that it changed, milliseconds. */
const REREAD_MS = 2_000;
/** How long another instance may take to write what it knows of a stream, milliseconds. */
const ANSWER_MS = 2_000;
/** Between two looks for it, milliseconds. */
const LOOK_MS = 50;

/** Events that are read at once: their client may never take them. */
export const PAGE = 16;

export interface ResumeParts {
  readonly store: Store;
  readonly journal: Journal;
  readonly peers: Peers;
  readonly instance: string;
  readonly keepAliveMs: number;
  /** Asks another instance to write the events of a stream. */
  readonly want: (instance: string, session: string, stream: string) => Promise<void>;
}

/** What a client gets whose call ended with the process that ran it. */
export function lostCall(
  request: RequestId,
  message = "The call was lost: the server process that ran it ended. Call again.",
): string {
  return JSON.stringify({ jsonrpc: "2.0", id: request, error: { code: -32_603, message } });
}

/**
 * Takes up the stream of a call again after `Last-Event-ID`, whichever instance runs the call.
 *
 * @returns undefined when there is nothing more to come
 */
export async function resumeCall(
  parts: ResumeParts,
  session: string,
  id: EventId,
): Promise<Tail | undefined> {
  const { store, journal } = parts;
  const { stream } = id;
  const local = await journal.expose(session, stream, parts.instance);
  const read = async (after: number) => {
    const call = await store.call(session, stream);
    const events = await store.events(session, stream, after, PAGE);
    return { events, more: call !== undefined || events.length === PAGE };
  };
  let known = local || (await isKnown(parts, session, stream));
  if (!known && (await parts.peers.alive(id.instance))) known = await askFor(parts, session, id);
  else if (known && !local && id.instance !== parts.instance) await parts.want(id.instance, session, stream);
  const { events, more } = known ? await read(id.n) : { events: lost(id), more: false };
  if (!more && events.length === 0) return undefined;
  let first = true;
  const source = {
    tag: streamTag(id),
    read: async (after: number) => {
      if (known || !first) return read(after);
      first = false;
      return { events, more: false };
    },
    change: () => journal.change(session, stream, REREAD_MS),
  };
  return tailStream(source, id.n, "", parts.keepAliveMs);
}

/** The errors for a call of which nothing is left. A client that has got them already gets nothing. */
function lost({ n, requests }: EventId): StoredEvent[] {
  if (n > LAST_N - 1_000) return [];
  return requests.map((request, i) => ({ n: LAST_N - requests.length + 1 + i, message: lostCall(request) }));
}

async function isKnown({ store }: ResumeParts, session: string, stream: string): Promise<boolean> {
  if (await store.call(session, stream)) return true;
  return (await store.events(session, stream, -1, 1)).length > 0;
}

/** The instance is alive and has not written the stream (a short call is written only when somebody wants it). */
async function askFor(parts: ResumeParts, session: string, id: EventId): Promise<boolean> {
  if (id.instance === parts.instance) return false;
  await parts.want(id.instance, session, id.stream);
  for (let waited = 0; waited < ANSWER_MS; waited += LOOK_MS) {
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    if (await isKnown(parts, session, id.stream)) return true;
  }
  return false;
}
