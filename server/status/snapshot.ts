import type { History, Instance } from "./history.ts";
import { type Point, STEP_MS } from "./sample.ts";

/** Everything that `/status` shows, as `/status.json` answers it. */
export interface Snapshot {
  /** Seconds from one point to the next. */
  readonly stepSeconds: number;
  readonly instances: readonly Instance[];
  /** ISO 8601; null where the machine does not report it. */
  readonly certificate: { readonly from: string; readonly to: string } | null;
  /** The oldest first, at most an hour. */
  readonly points: readonly Point[];
}

export function snapshot(history: Pick<History, "instances" | "machine" | "points">): Snapshot {
  const { instances, machine } = history;
  const certificate = machine?.certificate;
  const iso = (at: number) => new Date(at).toISOString();
  return {
    stepSeconds: STEP_MS / 1_000,
    instances,
    certificate: certificate ? { from: iso(certificate.from), to: iso(certificate.to) } : null,
    points: history.points(),
  };
}
