import { type MaybePromise, then } from "../../maybe-promise.ts";
import { siteOf } from "../network.ts";
import type { BucketResult, BucketStore } from "./buckets.ts";

/** An IPv6 site may do this many times what one of its networks may. A carrier's phones can share one site. */
const SITE_FACTOR = 16;

export interface NetworkBucket {
  /** What is counted: the first part of the key. */
  readonly purpose: string;
  /** A network as `networkOf` returns it, or another name of a client, which has one bucket. */
  readonly client: string;
  readonly capacity: number;
  readonly perSecond: number;
}

export interface NetworkBucketResult extends BucketResult {
  /** The limit that was reached or is the nearest, per second. */
  readonly perSecond: number;
  /** True if it is that of the IPv6 site around the network. */
  readonly site: boolean;
}

/** Consumes one token of a client's network and, for IPv6, one of the site around it: a client with a /48 has 65,536 networks. */
export function takeForNetwork(
  buckets: BucketStore,
  { purpose, client, capacity, perSecond }: NetworkBucket,
): MaybePromise<NetworkBucketResult> {
  const takeForSite = (own: BucketResult) => {
    const site = own.allowed ? siteOf(client) : undefined;
    const { allowed, left, waitMs } = own;
    if (site === undefined) return { allowed, left, waitMs, perSecond, site: false };
    const limit = perSecond * SITE_FACTOR;
    const wide = buckets.take(`${purpose}${site}`, capacity * SITE_FACTOR, limit);
    return then(wide, (result) => ({ ...result, perSecond: limit, site: true }));
  };
  return then(buckets.take(`${purpose}${client}`, capacity, perSecond), takeForSite);
}
