import { Counted } from "./counted.ts";

/** What one token may have at once. 0: no limit. */
export interface ShareLimits {
  /** Tool calls in progress. */
  readonly calls: number;
  /** `subscriptions/listen` streams (2026-07-28). */
  readonly listens: number;
  /** Resources to which its sessions and streams on this machine are subscribed. */
  readonly resources: number;
  /** Sessions of the 2025 revisions in the store. Beyond it, the token's least recently used session is removed. */
  readonly sessions: number;
  /** Those of these sessions that are in memory on this machine. */
  readonly liveSessions: number;
}

const ASK = "or ask the operator to raise";

/** Counts what each token has open on this machine. */
export class Shares {
  readonly limits: ShareLimits;
  readonly calls: Counted;
  readonly listens: Counted;
  readonly resources: Counted;

  constructor(limits: ShareLimits) {
    this.limits = limits;
    this.calls = new Counted(
      limits.calls,
      (max) =>
        `Too many calls at once: this token has ${max} in progress, the most it may have. Wait for one to end, ${ASK} CALLS_PER_TOKEN.`,
    );
    this.listens = new Counted(
      limits.listens,
      (max) =>
        `Too many streams: this token has ${max} subscriptions/listen streams open, the most it may have. Close one, ${ASK} LISTENS_PER_TOKEN.`,
    );
    this.resources = new Counted(
      limits.resources,
      (max) =>
        `Too many resources: this token may follow ${max} at once. Unsubscribe from some, ${ASK} RESOURCES_PER_TOKEN.`,
    );
  }
}
