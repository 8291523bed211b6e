import type { LookupAddress } from "node:dns";
import { isIP } from "node:net";
import { createSecureContext, type SecureContext } from "node:tls";
import { type Http3Client, type Http3FetchOptions, http3Fetch } from "../http3/http3-fetch.ts";
import { trustedRoots } from "../http3/trust.ts";
import { type Http2Client, http2Client } from "./clients/http2.ts";
import type { Target } from "./target.ts";

/** What the checks of one run share: the target, what earlier checks found, and clients that are opened when first used. */
export class Context {
  readonly target: Target;
  /** Limit of one check, milliseconds. */
  readonly limitMs: number;
  /** Set by the DNS check. */
  addresses: LookupAddress[] = [];
  /** Set by the TCP check: the addresses that accepted a connection. */
  tcp: LookupAddress[] = [];
  /** Set by the UDP check: the addresses where QUIC answered. */
  udp: LookupAddress[] = [];
  readonly #secure: { context?: SecureContext } = {};
  readonly #closers: (() => Promise<void>)[] = [];
  #http2: Http2Client | undefined;
  #http3: Http3Client | undefined;

  constructor(target: Target, limitMs: number) {
    this.target = target;
    this.limitMs = limitMs;
  }

  /** The roots, read once: building them takes longer than a handshake. */
  get secureContext(): SecureContext {
    this.#secure.context ??= createSecureContext({ ca: trustedRoots(this.target.ca), minVersion: "TLSv1.2" });
    return this.#secure.context;
  }

  /** Name for SNI; an IP address may not be sent there (RFC 6066 section 3). */
  get servername(): string {
    return isIP(this.target.host) === 0 ? this.target.host : "";
  }

  /** Where TCP clients connect. */
  get tcpAddress(): string {
    return this.tcp[0]?.address ?? this.target.connect ?? this.target.host;
  }

  /** A shared HTTP/2 client: one connection for all checks, as a real client has. */
  http2(): Http2Client {
    if (this.#http2 === undefined) {
      this.#http2 = http2Client(this);
      this.#closers.push(this.#http2.close);
    }
    return this.#http2;
  }

  /** A shared HTTP/3 client. */
  http3(): Http3Client {
    this.#http3 ??= this.http3To(this.udp[0]?.address);
    return this.#http3;
  }

  /** An HTTP/3 client of one address. Closed with the others, if not before. */
  http3To(address: string | undefined, options: Http3FetchOptions = {}): Http3Client {
    const { ca } = this.target;
    const client = http3Fetch({
      ...(ca === undefined ? {} : { ca }),
      ...(address === undefined ? {} : { address }),
      connectTimeoutMs: this.limitMs,
      ...options,
    });
    this.#closers.push(client.close);
    return client;
  }

  /** Ends every connection that the checks have opened. */
  async close(): Promise<void> {
    await Promise.all(this.#closers.map((close) => close()));
  }
}
