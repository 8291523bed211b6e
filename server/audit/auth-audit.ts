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
  "sessions.ended",
  "credential.changed",
  "consent",
  "consent.refused",
  "token.issued",
  "token.refreshed",
  "token.reused",
  "token.revoked",
  "token.refused",
  "grant.revoked",
  "keys.rotated",
]);

/** What anybody may cause of it, with a client of their own. */
const ANYBODY: ReadonlySet<AuthEvent["type"]> = new Set([
  "client.registered",
  "sign-in.refused",
  "consent.refused",
  "token.refused",
]);
/** Of each of these so many are recorded an hour: a flood must not push the rest out of the log. */
const ANYBODY_PER_HOUR = 1_000;
const HOUR_MS = 3_600_000;

/** Records sign-ins, consents and tokens. @returns ends it */
export function auditAuth(events: AuthEvents, audit: Pick<AuditLog, "record">): () => void {
  const hours = new Map<string, { readonly until: number; count: number }>();
  /** Whether there is room for one more. That there is none is recorded once. */
  const hasRoom = (type: string, at: number): boolean => {
    let hour = hours.get(type);
    if (!hour || hour.until <= at) {
      hour = { until: at + HOUR_MS, count: 0 };
      hours.set(type, hour);
    }
    hour.count++;
    if (hour.count === ANYBODY_PER_HOUR + 1) {
      const reason = `no more ${type} until ${new Date(hour.until).toISOString()}`;
      const limit = { type: "limit", reason, at: new Date(at).toISOString() };
      audit.record(limit);
    }
    return hour.count <= ANYBODY_PER_HOUR;
  };
  return events.subscribe(({ at, userAgent: _, ...event }) => {
    if (!RECORDED.has(event.type)) return;
    if (ANYBODY.has(event.type) && !hasRoom(event.type, at)) return;
    const person =
      "person" in event && event.person ? { id: `user:${event.person}`, kind: "person" as const } : {};
    const client = "client" in event && event.client ? { client: event.client } : {};
    audit.record({ ...event, at: new Date(at).toISOString(), who: { ...person, ...client } });
  });
}
