import type { DetailedPeerCertificate, TLSSocket } from "node:tls";
import { tlsServerCommands } from "../../advice.ts";
import { type Check, CheckFailure } from "../../check.ts";
import { tlsConnect } from "../../clients/tls.ts";
import { explainTrust } from "../../explain.ts";

/**
 * A renewal is due when a third of the life is left, or a half of one under ten days. At the first fraction it is overdue; at the second
 * little time is left. The alarms have the same ones (infra/aws/alarm-table.ts, examples/monitoring).
 */
const OVERDUE = 0.3;
const ENDS = 1 / 6;
const DAY_MS = 86_400_000;

export interface Lifetime {
  /** Days left, may be negative. */
  days: number;
  /** Fraction of the lifetime that is left. Lifetimes range from 6 to 90 days, so days alone mean little. */
  fraction: number;
}

/** How much of a certificate's life is left at `now` (milliseconds since 1970). */
export function lifetimeLeft(validFrom: string, validTo: string, now: number): Lifetime {
  const from = Date.parse(validFrom);
  const to = Date.parse(validTo);
  return { days: (to - now) / DAY_MS, fraction: (to - now) / (to - from) };
}

export const certificate: Check = {
  id: "certificate",
  title: "Certificate",
  needs: ["tcp"],
  tried: ({ target }) =>
    `the chain for ${target.host} against the system's roots${target.ca === undefined ? "" : " and --ca"}, and how long it lasts`,
  async run(context, signal) {
    // Node does not refuse it, so that an untrusted certificate can be described.
    const socket = await tlsConnect(context, signal, { rejectUnauthorized: false });
    const peer = socket.getPeerCertificate(true);
    const problem = socket.authorized ? undefined : String(socket.authorizationError);
    const protocol = socket.getProtocol();
    socket.destroy();
    const { days, fraction } = lifetimeLeft(peer.valid_from, peer.valid_to, Date.now());
    const issuer = `issued by ${issuerOf(peer)}`;
    if (problem !== undefined) {
      const what = explainTrust(codeOf(socket) ?? problem) ?? problem;
      throw new CheckFailure(
        `${what}; ${issuer}, for ${peer.subjectaltname ?? peer.subject?.CN ?? "no name"}`,
      );
    }
    const left = `${days.toFixed(1)} days left (${Math.round(fraction * 100)} % of its life)`;
    const why = `See why it was not renewed: ${tlsServerCommands(context.target).certificate}`;
    if (fraction < ENDS) throw new CheckFailure(`${left}, ${issuer}: renewal does not work`, why);
    const overdue = fraction < OVERDUE ? `. The renewal is overdue. ${why}` : "";
    return `trusted, ${issuer}, ${left}, ${protocol}${overdue}`;
  },
  fix: ({ target }) =>
    `See whether the ACME server gave one: ${tlsServerCommands(target).certificate}; ` +
    (target.ca === undefined
      ? "a private authority's certificate is trusted with --ca FILE"
      : "is --ca the right file?"),
};

/** The library's type is Error, but Node sets a string. */
function codeOf(socket: TLSSocket): string | undefined {
  const error: unknown = socket.authorizationError;
  if (typeof error === "string") return error;
  return (error as { code?: string } | null)?.code;
}

function issuerOf(peer: DetailedPeerCertificate): string {
  const { O: organisation, CN: name } = (peer.issuer ?? {}) as { O?: string; CN?: string };
  return [organisation, name].filter(Boolean).join(" ") || "nobody named";
}
