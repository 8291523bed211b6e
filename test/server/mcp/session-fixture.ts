import { McpServer } from "@modelcontextprotocol/server";
import type { FastifyBaseLogger } from "fastify";
import { ChangeBus } from "../../../server/mcp/change-bus.ts";
import { ChangeWatcher } from "../../../server/mcp/change-watcher.ts";
import { Sessions } from "../../../server/mcp/sessions.ts";
import { Shares } from "../../../server/shares/shares.ts";
import type { Store } from "../../../server/store/store.ts";

export const PRINCIPAL = { id: "p", name: "p", scopes: ["code:read"] as const };

/** Logs nothing. */
export const SILENT_LOG = Object.fromEntries(
  ["debug", "info", "warn", "error"].map((level) => [level, () => undefined]),
) as unknown as FastifyBaseLogger;

/** The sessions of one instance and what notifies them, without limits and without an HTTP server. Nothing is started. */
export function sessionsOn(store: Store) {
  const lists = async () => ({ tools: "1", prompts: "1", resources: "1" });
  const sessions = new Sessions({
    store,
    build: () => new McpServer({ name: "t", version: "1" }, { capabilities: { logging: {} } }),
    lists,
    log: SILENT_LOG,
    keepAliveMs: 15_000,
    slot: "",
    shares: new Shares({ calls: 0, listens: 0, resources: 0, sessions: 0, liveSessions: 0 }),
  });
  const watcher = new ChangeWatcher({
    sessions,
    changes: new ChangeBus(),
    lists,
    version: async () => "1",
    view: () => "",
    log: SILENT_LOG,
  });
  return { sessions, watcher };
}
