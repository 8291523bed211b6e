import type { StreamClaim } from "../store/store.ts";
import type { Session } from "./session.ts";
import type { SessionParts } from "./session-parts.ts";

/** Ensures that each session has one notification stream: the last one that its client opened, at whichever instance. */
export class StreamClaims {
  readonly #parts: SessionParts;

  constructor(parts: SessionParts) {
    this.#parts = parts;
  }

  /**
   * A client opens a notification stream here; an older stream of the session ends, at whichever instance it is. Of two that are opened at
   * the same moment, the one that the store counted last remains.
   *
   * @param end ends the new stream
   * @returns the number of the last notification so far; undefined while the store is away
   */
  async claim(session: Session, end: () => void): Promise<number | undefined> {
    const { store, cluster, onError } = this.#parts;
    // Before the first await, so that two simultaneous requests see each other.
    session.endStream?.();
    session.endStream = end;
    const before = session.claim ?? 0;
    session.claim = undefined;
    let claimed: StreamClaim | undefined;
    try {
      claimed = await store.claimStream(session.id);
    } catch (error) {
      onError(error as Error);
    }
    if (session.endStream !== end) return claimed?.last;
    // Without the store's count: later than every claim that is known here, and earlier than every future one.
    session.claim = claimed?.claim ?? Math.max(before, session.remoteClaim);
    if (session.claim < session.remoteClaim) end();
    if (claimed) void cluster.send("claim", { session: session.id, claim: claimed.claim });
    return claimed?.last;
  }

  /**
   * Ends a stream if another instance opened a later one. That instance sends a message at once, which may be lost.
   *
   * @throws StoreUnavailable
   */
  async check(session: Session, end: () => void): Promise<void> {
    if (!this.#parts.cluster.peers.others || session.endStream !== end) return;
    const claim = await this.#parts.store.lastClaim(session.id);
    if (claim !== undefined) this.onRemoteClaim(session, claim);
  }

  /** The stream that `end` ends is closed. */
  release(session: Session, end: () => void): void {
    if (session.endStream === end) session.endStream = undefined;
  }

  /**
   * Another instance opened a stream of the session. A stream of ours whose claim is not known yet is compared once it is.
   *
   * @param claim undefined from an older release
   */
  onRemoteClaim(session: Session, claim: number | undefined): void {
    if (claim === undefined) {
      session.endStream?.();
      return;
    }
    session.remoteClaim = Math.max(session.remoteClaim, claim);
    if (session.claim !== undefined && session.claim < claim) session.endStream?.();
  }
}
