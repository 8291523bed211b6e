import type { Capabilities } from "../../capabilities/registry.ts";
import { type BucketStore, MemoryBuckets } from "./buckets.ts";
import { ValkeyBuckets } from "./valkey-buckets.ts";

/** The capability's name: one limit for all machines, not one for each. */
export const SHARED_LIMITS = "shared-limits";

/**
 * The buckets of the rate limits: in Valkey where STORE_URL names one, else in this process.
 *
 * @param warn told when Valkey goes away
 */
export function openBuckets(
  storeUrl: string | undefined,
  capabilities: Capabilities,
  warn: (problem: string) => void,
): BucketStore & { close(): void } {
  if (storeUrl === undefined) {
    capabilities.set(SHARED_LIMITS, false, "STORE_URL is not set: this server counts for itself");
    return Object.assign(new MemoryBuckets(), { close: () => undefined });
  }
  capabilities.set(SHARED_LIMITS, false, "Valkey has not answered yet");
  return new ValkeyBuckets(storeUrl, {
    onChange: (available, why) => {
      capabilities.set(SHARED_LIMITS, available, why);
      if (!available) warn(why);
    },
  });
}
