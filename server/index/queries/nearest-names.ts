import type { DatabaseSync } from "node:sqlite";
import { distance } from "fastest-levenshtein";

/** Number of names that an empty result suggests. */
const MAX_NEAR = 5;

/** The names of symbols most similar to an unknown name, nearest first: a few letters differ, or one contains the other. */
export function nearestNames(db: DatabaseSync, name: string): string[] {
  const asked = name.toLowerCase();
  const most = Math.max(1, Math.floor(asked.length / 3));
  const near: { name: string; far: number }[] = [];
  // Reads only the index on the names, in its order.
  for (const row of db.prepare("SELECT DISTINCT bare COLLATE NOCASE AS bare FROM symbols").iterate()) {
    const known = String(row.bare);
    const lower = known.toLowerCase();
    const holds = lower.length > 3 && asked.length > 3 && (lower.includes(asked) || asked.includes(lower));
    if (!holds && Math.abs(lower.length - asked.length) > most) continue;
    const far = holds ? Math.min(most, Math.abs(lower.length - asked.length)) : distance(asked, lower);
    if (far <= most) near.push({ name: known, far });
    if (near.length > 1_000) near.sort(byDistance).splice(MAX_NEAR);
  }
  return near
    .sort(byDistance)
    .slice(0, MAX_NEAR)
    .map((n) => n.name);
}

const byDistance = (a: { name: string; far: number }, b: { name: string; far: number }) =>
  a.far - b.far || a.name.length - b.name.length;
