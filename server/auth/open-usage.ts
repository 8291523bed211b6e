import { join } from "node:path";
import type { Capabilities } from "../capabilities/registry.ts";
import { MemoryUsage, SqliteUsage, USAGE_FILE, type UsageStore } from "./usage-store.ts";
import { ValkeyUsage } from "./valkey-usage.ts";

/** The capability's name: counts that survive a restart. */
const LASTING_QUOTAS = "lasting-quotas";

export interface UsageSettings {
  /** A Valkey or Redis server; it takes precedence over the folder. */
  readonly storeUrl: string | undefined;
  /** Folder of the file; undefined: in memory on purpose. */
  readonly sessionsDir: string | undefined;
}

/**
 * The store of the counts that the configuration names. A folder that cannot be written is no reason not to serve: then it is counted in
 * memory, and the capability says why.
 *
 * @param onProblem told when the folder cannot be used
 */
export function openUsage(
  { storeUrl, sessionsDir }: UsageSettings,
  capabilities: Capabilities,
  onProblem: (problem: Error) => void,
): UsageStore {
  if (storeUrl !== undefined) {
    const store = new ValkeyUsage(storeUrl);
    capabilities.set(LASTING_QUOTAS, true, store.name);
    return store;
  }
  if (sessionsDir === undefined) {
    capabilities.set(LASTING_QUOTAS, false, "SESSIONS_DIR is not set: counts end with the process");
    return new MemoryUsage();
  }
  const file = join(sessionsDir, USAGE_FILE);
  try {
    const store = new SqliteUsage(file);
    capabilities.set(LASTING_QUOTAS, true, `SQLite in ${file}`);
    return store;
  } catch (error) {
    const why = `${file}: ${(error as Error).message}; the server's account must be able to write there: install -d -o mcp-edge -g mcp-edge -m 0700 ${sessionsDir}`;
    capabilities.set(LASTING_QUOTAS, false, why);
    onProblem(new Error(why));
    return new MemoryUsage();
  }
}
