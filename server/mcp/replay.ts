import type { SessionRecord } from "../store/store.ts";
import type { Session } from "./session.ts";

/** The SDK refused the messages of a stored session. */
export class ReplayRefused extends Error {}

/**
 * Restores a session in a new server and transport: makes its `initialize`, `notifications/initialized` and log level again, as a client
 * does. The SDK offers no other way (typescript-sdk issue 1658).
 *
 * @param only "logLevel" updates the log level of an open session, and nothing else
 * @throws ReplayRefused when the SDK refuses one of the messages
 */
export async function replay(
  session: Pick<Session, "id" | "transport"> & { state: Session["state"] },
  record: SessionRecord,
  only?: "logLevel",
): Promise<void> {
  const { transport } = session;
  const request = async (message: Parameters<typeof transport.request>[0]) => {
    const response = await transport.request(message).catch((error: Error) => ({ error: error.message }));
    if ("error" in response)
      throw new ReplayRefused(`${message.method} was refused: ${JSON.stringify(response.error)}`);
  };
  session.state = record.state;
  if (only === undefined) {
    await request({ id: "replay-initialize", method: "initialize", params: record.params });
    transport.restore();
    if (record.state.initialized)
      transport.onmessage?.({ jsonrpc: "2.0", method: "notifications/initialized" });
  }
  const { logLevel: level } = record.state;
  if (level !== undefined)
    await request({ id: "replay-level", method: "logging/setLevel", params: { level } });
}
