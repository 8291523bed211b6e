import type { SessionRecord } from "../store/store.ts";
import type { Session } from "./live-sessions.ts";

const HEADERS = { "content-type": "application/json", accept: "application/json, text/event-stream" };

/** The SDK refuses what a session was opened with. */
export class ReplayRefused extends Error {}

/**
 * Brings a fresh server and transport to where the session was: its `initialize`, `notifications/initialized` and log level again, through
 * the transport as a client sends them. The SDK has no other way in (typescript-sdk issue 1658).
 *
 * @throws ReplayRefused when the SDK does not take one of them
 * @param quietly runs work whose answers are not kept
 * @param only "logLevel" brings a session that is open up to date in that alone
 */
export async function replay(
  session: Pick<Session, "id" | "transport"> & { facts: Session["facts"] },
  record: SessionRecord,
  quietly: <T>(work: () => T) => T,
  only?: "logLevel",
): Promise<void> {
  const { transport } = session;
  const send = async (
    body: { method: string; id?: string; params?: unknown },
    headers: Record<string, string>,
  ) => {
    const request = new Request("http://localhost/mcp", {
      method: "POST",
      headers: { ...HEADERS, ...headers },
    });
    const response = await quietly(() =>
      transport.handleRequest(request, { parsedBody: { jsonrpc: "2.0", ...body } }),
    );
    const text = await response.text();
    if (!response.ok) throw new ReplayRefused(`${body.method} was answered ${response.status}: ${text}`);
    const refusal = /^data: (.*"error":.*)$/m.exec(text)?.[1];
    if (refusal !== undefined && "error" in JSON.parse(refusal))
      throw new ReplayRefused(`${body.method} was refused: ${refusal}`);
  };
  session.facts = record.facts;
  const again = { "mcp-session-id": session.id };
  if (only === undefined) {
    await send({ id: "replay-initialize", method: "initialize", params: record.params }, {});
    if (record.facts.initialized) await send({ method: "notifications/initialized" }, again);
  }
  const { logLevel: level } = record.facts;
  if (level !== undefined)
    await send({ id: "replay-level", method: "logging/setLevel", params: { level } }, again);
}
