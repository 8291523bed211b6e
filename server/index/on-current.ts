import { existsSync } from "node:fs";
import { ToolError } from "../tool-error.ts";

/** Builds that end during one call, before it fails. */
const MAX_ATTEMPTS = 3;

/**
 * Runs a job over the current generation of an index. A build that ends while the job waits for a thread removes that generation: then the job
 * runs over the next one.
 *
 * @param current finds the database file of the current generation
 */
export async function onCurrent<D extends string | undefined, T>(
  current: () => Promise<D>,
  run: (database: D) => Promise<T>,
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    const database = await current();
    try {
      return await run(database);
    } catch (error) {
      const wasRemoved = database !== undefined && !existsSync(database);
      if (error instanceof ToolError || !wasRemoved || attempt === MAX_ATTEMPTS) throw error;
    }
  }
}
