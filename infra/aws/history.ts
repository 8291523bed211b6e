import type { Objects } from "./convergence.ts";
import type { Desired } from "./desired.ts";
import type { Shelf } from "./prune.ts";

/** The objects of the history. Old ones are deleted like archives (prune.ts). */
export const HISTORY = "deployments/";
/** How many of the newest deployments are read. */
const NEWEST = 20;

/** A deployment that every machine has finished: an object below `deployments/`, whose name begins with the time. */
export interface Deployed extends Desired {
  /** ISO 8601, UTC. */
  at: string;
  /** The tags of `desired.json`, which a rollback writes again. */
  tags: Record<string, string>;
}

/** Adds the deployment in `desired.json` to the history, unless another one has been asked for in the meantime. */
export async function recordDeployment(
  bucket: Objects,
  generation: string,
  tags: Record<string, string>,
  now = new Date(),
): Promise<void> {
  const wanted = await bucket.get<Desired>("desired.json");
  if (wanted?.generation !== generation) return;
  const { release, files, edgeFiles, workspace } = wanted;
  const at = now.toISOString();
  const archives = { release, files, ...(edgeFiles ? { edgeFiles } : {}), workspace };
  const entry: Deployed = { at, ...archives, generation, tags };
  await bucket.put(`${HISTORY}${at}-${generation}.json`, `${JSON.stringify(entry)}\n`);
}

/** The latest deployments that every machine has finished, the newest first; at most 20. */
export async function deploymentsOf(bucket: Pick<Objects & Shelf, "get" | "list">): Promise<Deployed[]> {
  const keys = (await bucket.list(HISTORY)).map(({ key }) => key).sort();
  const read = await Promise.all(keys.slice(-NEWEST).map((key) => bucket.get<Deployed>(key)));
  return read.filter((entry) => entry !== undefined).reverse();
}
