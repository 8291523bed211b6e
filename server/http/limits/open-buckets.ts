import type { Capabilities } from "../../capabilities/registry.ts";
import { type BucketStore, MemoryBuckets } from "./buckets.ts";
import { ValkeyBuckets } from "./valkey-buckets.ts";

/** The name of the capability: all machines share one limit. */
const SHARED_LIMITS = "shared-limits";

/**
 * Opens the buckets of the rate limits: in Valkey if STORE_URL names one, else in this process.
 *
 * @param warn called when Valkey becomes unavailable
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
