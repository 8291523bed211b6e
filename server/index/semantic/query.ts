import { isBelow } from "../../workspace/paths.ts";
import { type Freshness, SECONDARY } from "../job.ts";
import { search } from "../queries/search.ts";
import { TreeReader } from "../work-tree.ts";
import { bytesOf, dimension, openVectors, type VectorsJob } from "./vectors.ts";

export interface SemanticJob extends VectorsJob {
  query: string;
  embedding: readonly number[];
  path: string;
  limit: number;
}

export interface SemanticHit {
  path: string;
  start_line: number;
  end_line: number;
  title: string;
  by: "meaning" | "words" | "both";
}

/** The usual constant of reciprocal rank fusion (Cormack et al., SIGIR 2009). */
const RANK_CONSTANT = 60;

/** Merges the nearest passages by meaning and the best passages by words, by their ranks. Passages in both lists come first. */
export async function semantic(job: SemanticJob): Promise<{ hits: SemanticHit[] } & Freshness> {
  const { hits: byWords, ...freshness } = await search({ ...job, limit: job.limit });
  const inScope = (hit: { path: string }) => isBelow(hit.path, job.path);
  const merged = new Map<string, SemanticHit & { score: number }>();
  const add = (hit: Omit<SemanticHit, "by">, rank: number, by: "meaning" | "words") => {
    const overlapping = [...merged.values()].find(
      (m) => m.path === hit.path && m.start_line <= hit.end_line && hit.start_line <= m.end_line,
    );
    const score = (1 / (RANK_CONSTANT + rank)) * (SECONDARY.test(hit.path) ? 0.8 : 1);
    if (!overlapping) merged.set(`${hit.path}:${hit.start_line}`, { ...hit, by, score });
    else {
      overlapping.score += score;
      if (overlapping.by !== by) overlapping.by = "both";
    }
  };
  for (const [rank, hit] of byWords.filter(inScope).entries())
    add(
      { path: hit.path, start_line: hit.start_line, end_line: hit.end_line, title: hit.title },
      rank,
      "words",
    );
  const reader = new TreeReader(job.root);
  for (const [rank, near] of nearest(job).filter(inScope).entries()) {
    const lines = ((await reader.read(near.path)) ?? "")
      .split("\n")
      .slice(near.start_line - 1, near.end_line);
    const title = (lines.find((line) => /[\p{L}\p{N}]/u.test(line)) ?? "").trim().slice(0, 120);
    add({ ...near, title }, rank, "meaning");
  }
  const hits = [...merged.values()].sort((a, b) => b.score - a.score).slice(0, job.limit);
  return { hits: hits.map(({ score: _, ...hit }) => hit), ...freshness };
}

function nearest(job: SemanticJob): { path: string; start_line: number; end_line: number }[] {
  const db = openVectors(job.vectors);
  try {
    if (dimension(db) !== job.embedding.length) return [];
    // For a folder, more neighbours are requested: the nearest may all be elsewhere.
    const k = Math.min(4_000, job.limit * (job.path === "" ? 2 : 20));
    return db
      .prepare(
        `SELECT path, start_line, end_line FROM (SELECT rowid, distance FROM vectors WHERE embedding MATCH ? AND k = ?) AS near
         JOIN known ON known.id = near.rowid JOIN pieces ON pieces.hash = known.hash ORDER BY near.distance`,
      )
      .all(bytesOf(job.embedding), k) as unknown as { path: string; start_line: number; end_line: number }[];
  } finally {
    db.close();
  }
}
