/**
 * How many each must give so that together they give `excess`: whoever has most gives first, down to what the next one has.
 *
 * @param sizes what each has
 * @returns what each gives, without those who give nothing
 */
export function fairCuts(sizes: ReadonlyMap<string, number>, excess: number): Map<string, number> {
  const cuts = new Map<string, number>();
  if (excess <= 0) return cuts;
  const most = [...sizes].sort(([, a], [, b]) => b - a);
  // The largest size that nobody has to go below.
  let level = 0;
  let given = 0;
  for (const [n, [, size]] of most.entries()) {
    const next = most[n + 1]?.[1] ?? 0;
    given += (n + 1) * (size - next);
    if (given < excess) continue;
    level = next + Math.floor((given - excess) / (n + 1));
    break;
  }
  let left = excess;
  for (const [who, size] of most) {
    const cut = Math.min(left, size - level);
    if (cut <= 0) break;
    cuts.set(who, cut);
    left -= cut;
  }
  return cuts;
}
