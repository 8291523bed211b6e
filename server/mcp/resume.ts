import { LAST_N, type Store, type StoredEvent } from "../store/store.ts";
import type { Cluster } from "./cluster.ts";
import { type EventId, streamTag } from "./event-id.ts";
import type { Journal } from "./journal.ts";
import { lostCall } from "./lost-call.ts";
import { Tail } from "./tail.ts";

/** Interval at which a followed stream is read from the store even without a wakeup, milliseconds. */
const REREAD_MS = 2_000;
/** Time in which another instance must write the events of a stream, milliseconds. */
const ANSWER_MS = 2_000;
/** Interval at which the store is polled for them, milliseconds. */
const POLL_MS = 50;

/** Number of events that are read at once: the client may never take them. */
export const PAGE = 16;

export interface ResumeParts {
  readonly store: Store;
  readonly journal: Journal;
  readonly cluster: Cluster;
  readonly keepAliveMs: number;
}

/**
 * Resumes the stream of a call after `Last-Event-ID`, whichever instance runs the call.
 *
 * @returns undefined when no more events will follow
 */
export async function resumeCall(
  parts: ResumeParts,
  session: string,
  id: EventId,
): Promise<Tail | undefined> {
  const { store, journal, cluster } = parts;
  const { stream, instance } = id;
  const local = await journal.expose(session, stream, cluster.instance);
  const read = async (after: number) => {
    const call = await store.call(session, stream);
    const events = await store.events(session, stream, after, PAGE);
    return { events, more: call !== undefined || events.length === PAGE };
  };
  let known = local || (await isKnown(parts, session, stream));
  if (!known && (await cluster.peers.alive(instance))) known = await requestEvents(parts, session, id);
  else if (known && !local)
    await cluster.send("request", { session, stream, from: cluster.instance }, instance);
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
    watch: (onChange: () => void) => journal.watch(session, stream, REREAD_MS, onChange),
  };
  return new Tail(source, id.n, "");
}

/** The errors for a call that no instance and no store knows. A client that has received them already gets nothing. */
function lost({ n, requests }: EventId): StoredEvent[] {
  if (n > LAST_N - 1_000) return [];
  return requests.map((request, i) => ({ n: LAST_N - requests.length + 1 + i, message: lostCall(request) }));
}

async function isKnown({ store }: ResumeParts, session: string, stream: string): Promise<boolean> {
  if (await store.call(session, stream)) return true;
  return (await store.events(session, stream, -1, 1)).length > 0;
}

/** Has a living instance write a stream: a short call is written only on request. */
async function requestEvents(parts: ResumeParts, session: string, id: EventId): Promise<boolean> {
  const { cluster } = parts;
  const { stream, instance } = id;
  if (instance === cluster.instance) return false;
  await cluster.send("request", { session, stream, from: cluster.instance }, instance);
  for (let waited = 0; waited < ANSWER_MS; waited += POLL_MS) {
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    if (await isKnown(parts, session, stream)) return true;
  }
  return false;
}
