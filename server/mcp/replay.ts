import type { SessionRecord } from "../store/store.ts";
import type { Session } from "./session.ts";

const HEADERS = { "content-type": "application/json", accept: "application/json, text/event-stream" };

/** The SDK refused the messages of a stored session. */
export class ReplayRefused extends Error {}

/**
 * Restores a session in a new server and transport: sends its `initialize`, `notifications/initialized` and log level again, through the
 * transport, as a client does. The SDK offers no other way (typescript-sdk issue 1658).
 *
 * @param unjournaled runs work whose answers are not kept
 * @param only "logLevel" updates the log level of an open session, and nothing else
 * @throws ReplayRefused when the SDK refuses one of the messages
 */
export async function replay(
  session: Pick<Session, "id" | "transport"> & { state: Session["state"] },
  record: SessionRecord,
  unjournaled: <T>(work: () => T) => T,
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
    const response = await unjournaled(() =>
      transport.handleRequest(request, { parsedBody: { jsonrpc: "2.0", ...body } }),
    );
    const text = await response.text();
    if (!response.ok) throw new ReplayRefused(`${body.method} was answered ${response.status}: ${text}`);
    const refusal = /^data: (.*"error":.*)$/m.exec(text)?.[1];
    if (refusal !== undefined && "error" in JSON.parse(refusal))
      throw new ReplayRefused(`${body.method} was refused: ${refusal}`);
  };
  session.state = record.state;
  const sessionHeader = { "mcp-session-id": session.id };
  if (only === undefined) {
    await send({ id: "replay-initialize", method: "initialize", params: record.params }, {});
    if (record.state.initialized) await send({ method: "notifications/initialized" }, sessionHeader);
  }
  const { logLevel: level } = record.state;
  if (level !== undefined)
    await send({ id: "replay-level", method: "logging/setLevel", params: { level } }, sessionHeader);
}
