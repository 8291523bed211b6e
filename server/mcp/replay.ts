import type { Session } from "./session.ts";

/** The SDK refused the messages of a stored session. */
export class ReplayRefused extends Error {}

type Replayed = Pick<Session, "transport" | "initialize" | "state">;

/**
 * Brings a new server to the state of a session: makes its `initialize`, `notifications/initialized` and log level again, as a client does.
 * The SDK offers no other way (typescript-sdk issue 1658).
 *
 * @throws ReplayRefused when the SDK refuses one of the messages
 */
export async function replay(session: Replayed): Promise<void> {
  const { transport, initialize, state } = session;
  await request(session, { id: "replay-initialize", method: "initialize", params: initialize });
  transport.restore();
  if (state.initialized) transport.onmessage?.({ jsonrpc: "2.0", method: "notifications/initialized" });
  await replayLogLevel(session);
}

/** Tells the server of an open session the log level that the client set. @throws ReplayRefused when the SDK refuses it */
export async function replayLogLevel(session: Replayed): Promise<void> {
  const { logLevel: level } = session.state;
  if (level !== undefined)
    await request(session, { id: "replay-level", method: "logging/setLevel", params: { level } });
}

async function request(
  { transport }: Replayed,
  message: Parameters<Session["transport"]["request"]>[0],
): Promise<void> {
  const response = await transport.request(message).catch((error: Error) => ({ error: error.message }));
  if ("error" in response)
    throw new ReplayRefused(`${message.method} was refused: ${JSON.stringify(response.error)}`);
}
