import type { FastifyBaseLogger } from "fastify";
import type { AuthEvents } from "../auth/events.ts";
import type { ServerConfig } from "../config/config.ts";
import type { Metrics } from "../metrics/metrics.ts";
import type { CallObserver } from "../tools/observed-tool.ts";
import { AuditLog } from "./audit-log.ts";
import { auditAuth } from "./auth-audit.ts";
import { callRecords } from "./call-records.ts";

/** The audit log as the rest of the server sees it. */
export interface Audit {
  /** Records each call of a tool. Undefined where no folder is configured. */
  readonly calls: CallObserver | undefined;
  /** Resolves when all records are on the disk, or were reported as lost. */
  close(): Promise<void>;
}

/** Starts to record sign-ins, consents and tokens. Does nothing where no folder is configured. */
export function openAudit(
  { dir, fileBytes, files, withArguments }: ServerConfig["audit"],
  { metrics, log, events }: { metrics: Metrics; log: FastifyBaseLogger; events: AuthEvents },
): Audit {
  if (dir === undefined) return { calls: undefined, close: async () => undefined };
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
    calls: callRecords(audit, withArguments),
    close: () => {
      unsubscribe();
      return audit.close();
    },
  };
}
