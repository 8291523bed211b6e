/** For servers whose answers are compared: a call that takes longer than usual at one of them becomes a stream there. */
export const NEVER_LATE = { patienceMs: 600_000 };

/** Headers that differ between any two answers. */
const OWN = new Set(["date", "x-request-id", "traceresponse", "mcp-session-id", "content-length"]);

/** Status, headers and messages of an answer, without what differs between any two. */
export async function comparable(response: Response) {
  const isJson = response.headers.get("content-type")?.startsWith("application/json");
  const sent = isJson ? await response.text() : await beginning(response);
  // The state that a client sends back contains the time at which it expires.
  const text = sent.replace(/("requestState":"v\d+)\.[^"]*/g, "$1");
  const json = isJson ? JSON.parse(text) : text.replace(/^id: .*$/gm, "");
  // The id of the request, which differs, where an error belongs to no message.
  if (typeof json === "object") delete json?.error?.data?.request_id;
  return {
    status: response.status,
    headers: [...response.headers].filter(([name]) => !OWN.has(name)),
    session: response.headers.has("mcp-session-id"),
    json,
  };
}

/**
 * A stream up to its end, to the acknowledgment of a `subscriptions/listen`, or to a request to the client, whose id differs, and which nobody
 * answers.
 */
async function beginning(response: Response): Promise<string> {
  let text = "";
  for await (const piece of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    text += piece;
    for (const [event, data = ""] of text.matchAll(/^data: (\{.*\})$/gm)) {
      const message = JSON.parse(data);
      if (message.method === "notifications/subscriptions/acknowledged") return text;
      if (message.method === undefined || message.id === undefined) continue;
      return text.slice(0, text.indexOf(event)) + JSON.stringify({ ...message, id: "<id>" });
    }
  }
  return text;
}
