import type { IncomingMessage } from "node:http";
import { isIP } from "node:net";
import { parse } from "forwarded-parse";
import { FORWARDING_HEADERS, isTrustedHop } from "./peer.ts";

/** One hop of a `Forwarded` header. */
export interface ForwardedHop {
  /** An IP address, or "unknown" where the hop named none (RFC 7239, section 6). */
  for: string;
  host?: string;
  proto?: "http" | "https";
}

/**
 * Reads `Forwarded` (RFC 7239, section 4): hops in the order in which they were passed, the nearest last.
 *
 * @returns undefined if the header is malformed: then none of it is believed
 */
export function parseForwarded(header: string): ForwardedHop[] | undefined {
  try {
    return parse(header).map(({ for: node, host, proto }) => ({
      for: addressOf(node ?? ""),
      ...(host && /^[\w.:[\]-]{1,255}$/.test(host) ? { host } : {}),
      ...(proto && /^https?$/i.test(proto) ? { proto: proto.toLowerCase() as "http" | "https" } : {}),
    }));
  } catch {
    return undefined;
  }
}

/** `192.0.2.1:80` and `[2001:db8::1]:80` without their ports; what is no address is nobody's. */
function addressOf(node: string): string {
  const bare = /^\[(.*)\](?::\d+)?$/.exec(node)?.[1] ?? /^([\d.]+)(?::\d+)?$/.exec(node)?.[1] ?? "";
  return isIP(bare) ? bare : "unknown";
}

/**
 * Settles what a request may say about whom it comes from, before anything reads it: from the trusted hop, `Forwarded` is turned into
 * the `X-Forwarded-*` that Fastify reads (which win when both are there, since the edge sets them); from anybody else all of it goes.
 */
export function settleForwarding(raw: Pick<IncomingMessage, "headers" | "socket">): void {
  const { headers } = raw;
  if (!isTrustedHop(raw)) {
    for (const name of FORWARDING_HEADERS) delete headers[name];
    return;
  }
  if (headers.forwarded === undefined || headers["x-forwarded-for"] !== undefined) return;
  const hops = parseForwarded(headers.forwarded);
  const nearest = hops?.at(-1);
  if (!hops || !nearest) return;
  headers["x-forwarded-for"] = hops.map((hop) => hop.for).join(", ");
  if (nearest.host) headers["x-forwarded-host"] = nearest.host;
  if (nearest.proto) headers["x-forwarded-proto"] = nearest.proto;
}
