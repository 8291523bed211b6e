import { Refusal } from "../errors.ts";
import type { BucketStore } from "./buckets.ts";
import { takeForNetwork } from "./network-buckets.ts";

/** How often a page may be visited. */
export interface VisitLimit {
  /** What is counted: the first part of the bucket's key. */
  readonly purpose: string;
  readonly atOnce: number;
  readonly perMinute: number;
}

/**
 * Counts a visit of a network, as `networkOf` returns it, or of another name of a visitor.
 * @throws Refusal 429 when there were too many
 */
export async function limitVisits(
  buckets: BucketStore,
  { purpose, atOnce, perMinute }: VisitLimit,
  visitor: string,
): Promise<void> {
  const limit = { purpose, client: visitor, capacity: atOnce, perSecond: perMinute / 60 };
  const { allowed } = await takeForNetwork(buckets, limit);
  if (!allowed) throw new Refusal(429, "Too many attempts. Wait a minute and try again.", 60);
}
