import type { FastifyBaseLogger } from "fastify";
import type { AuthEvents } from "../auth/events.ts";
import type { ServerConfig } from "../config/config.ts";
import type { Metrics } from "../metrics/metrics.ts";
import type { Tool } from "../tools/tool.ts";
import { AuditLog } from "./audit-log.ts";
import { auditedTool } from "./audited-tool.ts";
import { auditAuth } from "./auth-audit.ts";

/** The audit log as the rest of the server sees it. */
export interface Audit {
  /** The same tool, with each call recorded. */
  tool(tool: Tool): Tool;
  /** Resolves when all records are on the disk, or were reported as lost. */
  close(): Promise<void>;
}

/** Starts to record sign-ins, consents and tokens. Does nothing where no folder is configured. */
export function openAudit(
  { dir, fileBytes, files, withArguments }: ServerConfig["audit"],
  { metrics, log, events }: { metrics: Metrics; log: FastifyBaseLogger; events: AuthEvents },
): Audit {
  if (dir === undefined) return { tool: (tool) => tool, close: async () => undefined };
  const audit = new AuditLog({
    dir,
    fileBytes,
    files,
    count: (outcome, records) => metrics.audited(outcome, records),
    onError: (error) => {
      metrics.auditFailed();
      log.error(
        { reason: error.message, dir },
        "the audit log cannot be written; the records wait in memory",
      );
    },
  });
  const unsubscribe = auditAuth(events, audit);
  return {
    tool: (tool) => auditedTool(tool, audit, withArguments),
    close: () => {
      unsubscribe();
      return audit.close();
    },
  };
}
