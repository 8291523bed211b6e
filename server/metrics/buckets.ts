/** Upper bounds of the histograms of times, seconds. */
export const FAST = [
  0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300,
] as const;

/** How many times fell into each bucket of FAST; the last number is those beyond all. */
export type Buckets = readonly number[];

export const noTimes = (): number[] => new Array(FAST.length + 1).fill(0);

/** Counts a time in its bucket. */
export function inBucket(buckets: number[], seconds: number): void {
  let index = 0;
  while (index < FAST.length && seconds > (FAST[index] as number)) index++;
  buckets[index] = (buckets[index] ?? 0) + 1;
}

/**
 * The time that a share of all times did not exceed, as Prometheus' histogram_quantile estimates it: evenly spread within a bucket.
 *
 * @param share 0 to 1
 * @returns seconds; undefined without any time. Beyond all buckets: the last bound
 */
export function quantile(buckets: Buckets, share: number): number | undefined {
  const total = buckets.reduce((sum, count) => sum + count, 0);
  if (total === 0) return undefined;
  let rank = share * total;
  for (const [index, count] of buckets.entries()) {
    if (rank > count || count === 0) {
      rank -= count;
      continue;
    }
    const lower = FAST[index - 1] ?? 0;
    const upper = FAST[index] ?? lower;
    return lower + (upper - lower) * (rank / count);
  }
  return FAST[FAST.length - 1];
}
