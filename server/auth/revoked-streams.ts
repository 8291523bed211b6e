import type { Streams } from "../http/streams.ts";
import { type Authenticator, type Principal, sameScopes } from "./principal.ts";

/** Between two looks whether the tokens of open streams still hold, milliseconds. */
const LOOK_MS = 2_000;

/**
 * Ends the streams whose token was revoked, has expired or has other scopes now: a request is checked when it comes, and a stream may stand
 * for days after that. Clients come back at once, and are answered by what their token may do now.
 *
 * @returns stops looking
 */
export function endRevokedStreams(
  streams: Streams,
  authenticator: Authenticator,
  onError: (error: Error) => void,
): () => void {
  if (!authenticator.current) return () => undefined;
  let looking = false;
  const look = async () => {
    const now = new Map<string, Principal | undefined>();
    for (const id of streams.principals()) now.set(id, await authenticator.current?.(id));
    streams.endWhere((then) => {
      // One that was opened while we looked is looked at next time.
      if (!now.has(then.id)) return false;
      const current = now.get(then.id);
      return current === undefined || !sameScopes(current, then);
    }, "revoked");
  };
  const timer = setInterval(() => {
    if (looking || streams.size === 0) return;
    looking = true;
    look()
      .catch(onError)
      .finally(() => {
        looking = false;
      });
  }, LOOK_MS).unref();
  return () => clearInterval(timer);
}
