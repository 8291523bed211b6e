import { LAST_N, type RequestId, STANDALONE } from "../store/store.ts";

/** The content of an event id: the position in the stream, and the instance that runs the call, so that any instance can find it. */
export interface EventId {
  readonly n: number;
  readonly stream: string;
  /** The instance that runs the call; "" in the standalone stream. */
  readonly instance: string;
  /** The requests that the stream answers. */
  readonly requests: readonly RequestId[];
}

/** Longer lists of request ids are left out of the event ids, characters. */
const MAX_REQUESTS = 400;

/** The constant part of a stream's event ids. */
export function streamTag({ stream, instance, requests }: Omit<EventId, "n">): string {
  if (stream === STANDALONE) return "~";
  const text = Buffer.from(JSON.stringify(requests)).toString("base64url");
  return `~${instance}~${text.length > MAX_REQUESTS ? "" : text}~${stream}`;
}

/** The reverse of `n + streamTag(…)`. @returns undefined for text that is not an event id of this server */
export function parseEventId(text: string): EventId | undefined {
  const [number, instance, requests, stream, ...more] = text.split("~");
  const n = /^\d{1,16}$/.test(number ?? "") ? Number(number) : Number.NaN;
  if (!(n <= LAST_N) || more.length > 0 || instance === undefined) return undefined;
  if (stream === undefined)
    return instance === "" ? { n, stream: STANDALONE, instance, requests: [] } : undefined;
  const ids = parseRequests(requests ?? "");
  return ids && /^[0-9a-f-]{36}$/.test(stream) ? { n, stream, instance, requests: ids } : undefined;
}

function parseRequests(text: string): RequestId[] | undefined {
  if (text === "") return [];
  try {
    const ids: unknown = JSON.parse(Buffer.from(text, "base64url").toString());
    const valid = Array.isArray(ids) && ids.every((id) => typeof id === "string" || typeof id === "number");
    return valid ? ids : undefined;
  } catch {
    return undefined;
  }
}
