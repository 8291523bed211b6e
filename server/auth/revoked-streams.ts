import type { Streams } from "../http/streams.ts";
import { Periodic } from "../periodic.ts";
import { type Authenticator, type Principal, sameRights } from "./principal.ts";

/** Interval at which the tokens of open streams are checked, milliseconds. */
const CHECK_MS = 2_000;

/**
 * Ends the streams whose token was revoked, has expired or has other scopes now: a request is checked when it comes, and a stream may stand
 * for days after that. Clients come back at once, and are answered by what their token may do now.
 *
 * @returns stops the checks
 */
export function endRevokedStreams(
  streams: Streams,
  authenticator: Authenticator,
  onError: (error: Error) => void,
): () => void {
  if (!authenticator.current) return () => undefined;
  const round = async () => {
    if (streams.size === 0) return;
    const now = new Map<Principal, Principal | undefined>();
    for (const principal of streams.principals())
      now.set(principal, await authenticator.current?.(principal));
    streams.endWhere((then) => {
      // One that was opened during the check is checked next time.
      if (!now.has(then)) return false;
      const current = now.get(then);
      return current === undefined || !sameRights(current, then);
    }, "revoked");
  };
  const checks = new Periodic({ everyMs: CHECK_MS, round, onError }).start();
  return () => void checks.stop();
}
