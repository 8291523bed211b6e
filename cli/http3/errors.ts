/**
 * Failures of the HTTP clients in this folder. They extend TypeError because that is what `fetch` rejects with
 * when the network fails, so callers that tell "no answer" from "a bad answer" (the MCP SDK does) keep working.
 */

/** The kind of failure, for programs. */
export type HttpClientErrorCode =
  /** The name has no address. */
  | "unresolved"
  /** No native HTTP/3 client for this platform. */
  | "unsupported-platform"
  /** No answer within the time limit. */
  | "connect-timeout"
  /** The peer or this client ended the handshake, usually because of the certificate. */
  | "handshake"
  /** The connection ended during the request. */
  | "closed"
  /** The peer reset this one stream. */
  | "reset"
  /** The peer did not process the request (GOAWAY, H3_REQUEST_REJECTED). It is safe to repeat, RFC 9114 section 4.1.1. */
  | "rejected"
  /** Connected, but no response headers within the time limit. */
  | "headers-timeout"
  /** A redirect, although the caller passed `redirect: "error"`. */
  | "redirect"
  /** `close()` was called. */
  | "client-closed";

/** A request that got no usable answer: `what` happened and `where` (name, address, port, transport). */
export class HttpClientError extends TypeError {
  readonly code: HttpClientErrorCode;
  /** The failure, without the server. */
  readonly what: string;
  /** For example `edge.test at 192.0.2.1 port 443/udp`. */
  readonly where: string;

  constructor(code: HttpClientErrorCode, what: string, where: string, cause?: unknown) {
    super(`${what} (${where})`, cause === undefined ? undefined : { cause });
    this.name = "HttpClientError";
    this.code = code;
    this.what = what;
    this.where = where;
  }
}

/** TLS alerts with an explanation (RFC 8446 section 6, RFC 7301). QUIC carries them as 0x100 + alert (RFC 9001 section 4.8). */
const TLS_ALERTS: Record<number, string> = {
  40: "no common TLS parameters (handshake_failure)",
  42: "the certificate is not valid for this name (bad_certificate)",
  45: "the certificate has expired (certificate_expired)",
  46: "the certificate was refused (certificate_unknown)",
  48: "the certificate is not signed by a trusted authority (unknown_ca)",
  112: "the server does not know this host name (unrecognized_name)",
  116: "the server wants a client certificate (certificate_required)",
  120: "the server does not speak HTTP/3 on this port (no_application_protocol)",
};

/** QUIC transport errors (RFC 9000 section 20.1) and HTTP/3 errors (RFC 9114 section 8.1) in words. */
const QUIC_CODES: Record<number, string> = {
  1: "internal error",
  2: "connection refused",
  10: "protocol violation",
  11: "invalid Retry token",
  256: "closed without error",
  257: "HTTP/3 general protocol error",
  258: "HTTP/3 internal error",
  267: "request rejected",
  268: "request cancelled",
};

/** A QUIC connection or stream error code in words; `undefined` for 0, which has no meaning. */
export function describeQuicCode(code: number | undefined): string | undefined {
  if (code === undefined || code === 0) return undefined;
  // 0x100-0x10f are HTTP/3 codes on streams and TLS alerts on connections; alerts below 16 do not occur in handshakes.
  const alert = code > 0x110 && code <= 0x1ff ? code - 0x100 : undefined;
  if (alert !== undefined) return TLS_ALERTS[alert] ?? `TLS alert ${alert}`;
  return QUIC_CODES[code] ?? `error code 0x${code.toString(16)}`;
}
