import { mkdirSync } from "node:fs";
import { join, resolve } from "node:path";

/** The folder of the checkout: where Pulumi.yaml lies. */
export const projectRoot = resolve(import.meta.dirname, "..");

/**
 * Everything this project writes on a host outside /etc/hosts lies under one git-ignored folder.
 * `MCP_EDGE_HOME` moves it (tests do, to stay beside a stack that somebody uses).
 */
export const home = resolve(process.env.MCP_EDGE_HOME ?? join(projectRoot, ".mcp-edge"));

/** What `down` keeps: root filesystems, the engine, releases. `MCP_EDGE_CACHE` shares it between homes. */
export const cache = resolve(process.env.MCP_EDGE_CACHE ?? join(home, "cache"));

/** What belongs to one stack on this host; removed by `down`. */
export function stackFolder(stack: string): string {
  const folder = join(home, "stacks", stack);
  mkdirSync(folder, { recursive: true });
  return folder;
}

/** A folder in the cache, made when it is missing. */
export function cacheFolder(...parts: string[]): string {
  const folder = join(cache, ...parts);
  mkdirSync(folder, { recursive: true });
  return folder;
}
