import type { IncomingMessage } from "node:http";
import { isIP } from "node:net";
import { parse } from "forwarded-parse";
import { FORWARDING_HEADERS, isTrustedHop } from "./peer.ts";

/** One hop of a `Forwarded` header. */
export interface ForwardedHop {
  /** An IP address, or "unknown" if the hop named none (RFC 7239, section 6). */
  for: string;
  host?: string;
  proto?: "http" | "https";
}

/**
 * Parses `Forwarded` (RFC 7239, section 4): the hops in the order in which the request passed them, the nearest last.
 *
 * @returns undefined if the header is malformed. None of it is trusted then.
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

/** Strips the port of `192.0.2.1:80` or `[2001:db8::1]:80`. Anything that is not an address becomes "unknown". */
function addressOf(node: string): string {
  const bare = /^\[(.*)\](?::\d+)?$/.exec(node)?.[1] ?? /^([\d.]+)(?::\d+)?$/.exec(node)?.[1] ?? "";
  return isIP(bare) ? bare : "unknown";
}

/**
 * Normalizes the forwarding headers of a request before anything reads them. From the trusted hop, `Forwarded` is translated into the
 * `X-Forwarded-*` that Fastify reads; existing `X-Forwarded-*` take precedence, since the edge sets them. From other peers, all of these
 * headers are removed.
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
