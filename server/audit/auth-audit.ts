import type { AuthEvent, AuthEvents } from "../auth/events.ts";
import type { AuditLog } from "./audit-log.ts";

/**
 * What is recorded: what people and clients did with their rights. Not what anybody may cause without any (reading metadata, wrong bearer
 * tokens): it would push the rest out of the log. It is in `oauth trace` and the journal.
 */
const RECORDED: ReadonlySet<AuthEvent["type"]> = new Set([
  "client.registered",
  "authorization.granted",
  "sign-in",
  "sign-in.refused",
  "sign-out",
  "consent",
  "consent.refused",
  "token.issued",
  "token.refreshed",
  "token.reused",
  "token.refused",
  "grant.revoked",
  "keys.rotated",
]);

/** Records sign-ins, consents and tokens. @returns ends it */
export function auditAuth(events: AuthEvents, audit: Pick<AuditLog, "record">): () => void {
  return events.subscribe(({ at, userAgent: _, ...event }) => {
    if (!RECORDED.has(event.type)) return;
    const person =
      "person" in event && event.person ? { id: `user:${event.person}`, kind: "person" as const } : {};
    const client = "client" in event && event.client ? { client: event.client } : {};
    audit.record({ ...event, at: new Date(at).toISOString(), who: { ...person, ...client } });
  });
}
