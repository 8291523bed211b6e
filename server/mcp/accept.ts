import { EventSourceParserStream } from "eventsource-parser/stream";

/** The two media types of MCP's answers, and which of them a client reads. */
export interface Readable {
  readonly json: boolean;
  readonly stream: boolean;
}

/**
 * Reads an `Accept` header (RFC 9110, section 12.5.1) liberally: a missing or empty one accepts everything, parameters other than `q` are
 * ignored, and so is a malformed `q`. MCP requires clients to accept both types (basic/transports, "Sending Messages"), yet many name only one: ElevenLabs and Claude.ai's
 * proxy only the stream, curl everything, others only JSON.
 */
export function readableTypes(accept = ""): Readable {
  let known = parsed.get(accept);
  if (!known) {
    known = parseAccept(accept);
    if (parsed.size >= MAX_PARSED) parsed.clear();
    if (accept.length <= MAX_KEPT) parsed.set(accept, known);
  }
  return known;
}

/** Headers that were parsed. Clients send few different ones. */
const parsed = new Map<string, Readable>();
const MAX_PARSED = 200;
/** Longer ones are not kept, characters. */
const MAX_KEPT = 500;

function parseAccept(accept: string): Readable {
  if (!/[^\s,]/.test(accept)) return { json: true, stream: true };
  const qualities = new Map<string, number>();
  for (const entry of accept.toLowerCase().split(",")) {
    const [type = "", ...parameters] = entry.split(";").map((part) => part.trim());
    const q = Number(parameters.find((parameter) => parameter.startsWith("q="))?.slice(2) ?? 1);
    qualities.set(type, Number.isNaN(q) ? 1 : q);
  }
  // The most specific entry decides.
  const accepts = (type: string) =>
    (qualities.get(type) ??
      qualities.get(type.replace(/\/.*/, "/*")) ??
      qualities.get("*/*") ??
      qualities.get("*") ??
      0) > 0;
  return { json: accepts("application/json"), stream: accepts("text/event-stream") };
}

/** The `Accept` for the SDK's transports, which refuse a client that does not name both types. */
export function acceptForSdk(method: string): string {
  return method === "GET" ? "text/event-stream" : "application/json, text/event-stream";
}

/**
 * The same answer in a type that the client reads. An event stream becomes the JSON of its responses once all of them have arrived, without
 * the notifications in between (progress, log messages). A JSON answer becomes a stream of one event. Errors stay JSON: clients decide by
 * the status.
 *
 * @param signal ends the reading when the client has gone
 * @param batch whether the request was a batch, so that the answer is one too
 */
export async function inReadableType(
  response: Response,
  readable: Readable,
  signal: AbortSignal,
  batch: boolean,
): Promise<Response> {
  const type = response.headers.get("content-type") ?? "";
  if (!response.ok || !response.body) return response;
  if (type.startsWith("text/event-stream") && !readable.stream) {
    const headers = new Headers(response.headers);
    const found = await responsesIn(response.body, signal);
    // The request was cancelled, or its session ended: no answer follows.
    if (found.length === 0) {
      headers.delete("content-type");
      return new Response(null, { status: 202, headers });
    }
    headers.set("content-type", "application/json");
    const text = !batch && found.length === 1 ? found[0] : `[${found.join(",")}]`;
    return new Response(text, { status: response.status, headers });
  }
  if (type.startsWith("application/json") && !readable.json) {
    const headers = new Headers(response.headers);
    headers.set("content-type", "text/event-stream");
    headers.delete("content-length");
    // JSON.stringify writes no line breaks, so one data line holds it.
    const event = `event: message\ndata: ${JSON.stringify(await response.json())}\n\n`;
    return new Response(event, { status: response.status, headers });
  }
  return response;
}

/** The JSON-RPC responses of a stream, as JSON text. */
async function responsesIn(body: ReadableStream<Uint8Array>, signal: AbortSignal): Promise<string[]> {
  const events = body
    .pipeThrough(new TextDecoderStream() as ReadableWritablePair<string, Uint8Array>, { signal })
    .pipeThrough(new EventSourceParserStream());
  const found: string[] = [];
  for await (const { data } of events) {
    if (data === "") continue; // The event that only carries an id to resume from.
    const message = JSON.parse(data);
    if (!("method" in message)) found.push(data);
  }
  return found;
}
