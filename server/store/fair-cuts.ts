/**
 * Divides a reduction fairly: the largest holders give first, until they are level with the next ones.
 *
 * @param sizes what each holder has
 * @param excess what all holders together must give
 * @returns what each holder gives, without those that give nothing
 */
export function fairCuts(sizes: ReadonlyMap<string, number>, excess: number): Map<string, number> {
  const cuts = new Map<string, number>();
  if (excess <= 0) return cuts;
  const largest = [...sizes].sort(([, a], [, b]) => b - a);
  // No holder has to give below this size.
  let level = 0;
  let given = 0;
  for (const [n, [, size]] of largest.entries()) {
    const next = largest[n + 1]?.[1] ?? 0;
    given += (n + 1) * (size - next);
    if (given < excess) continue;
    level = next + Math.floor((given - excess) / (n + 1));
    break;
  }
  let left = excess;
  for (const [holder, size] of largest) {
    const cut = Math.min(left, size - level);
    if (cut <= 0) break;
    cuts.set(holder, cut);
    left -= cut;
  }
  return cuts;
}
