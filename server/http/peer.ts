import type { IncomingMessage } from "node:http";
import { isIP } from "node:net";

type Raw = Pick<IncomingMessage, "headers" | "socket">;

/** Headers with which a proxy names the original client. */
export const FORWARDING_HEADERS = [
  "forwarded",
  "x-forwarded-for",
  "x-forwarded-host",
  "x-forwarded-port",
  "x-forwarded-proto",
  "x-real-ip",
] as const;

/** True for names and addresses that only this machine can reach. */
export function isLoopback(host: string): boolean {
  const bare = host.replace(/^\[|\]$/g, "");
  return bare === "localhost" || bare === "::1" || (isIP(bare) === 4 && bare.startsWith("127."));
}

/** True for loopback addresses, not for names. Called several times for each request, nearly always with one of the first two. */
export function isLoopbackAddress(address: string): boolean {
  if (address === "127.0.0.1" || address === "::1") return true;
  const bare = address.replace(/^::ffff:/, "");
  return isIP(bare) === 4 && bare.startsWith("127.");
}

/** The trusted hop: a peer on loopback or a unix socket. On a machine, only the edge and root's commands connect there. */
export function isTrustedHop(raw: Raw): boolean {
  const peer = raw.socket.remoteAddress;
  return peer === undefined || isLoopbackAddress(peer);
}

/** A caller on this machine: a trusted peer without forwarding headers, so not a request through the edge. */
export function isLocalCaller(raw: Raw): boolean {
  return isTrustedHop(raw) && FORWARDING_HEADERS.every((name) => raw.headers[name] === undefined);
}
