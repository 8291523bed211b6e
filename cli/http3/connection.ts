import { setTimeout as delay } from "node:timers/promises";
import type { Http3ClientSession } from "@currentspace/http3";
import { describeQuicCode, HttpClientError } from "./errors.ts";
import { type ExchangeStream, exchange } from "./exchange.ts";
import type { Outgoing } from "./outgoing.ts";

/** H3_REQUEST_CANCELLED and H3_REQUEST_REJECTED, RFC 9114 section 8.1. */
const CANCELLED = 0x10c;
const REJECTED = 0x10b;
/** Delay until a request that could not begin is tried again, milliseconds. */
const BLOCKED_MS = 5;
/** Interval of PINGs while a request is open, since a connection is closed after its idle timeout (RFC 9000 section 10.1). */
const PING_EVERY_MS = 20_000;

/** One QUIC connection with concurrent requests. */
export class Http3Connection {
  readonly where: string;
  readonly #session: Http3ClientSession;
  readonly #pings: NodeJS.Timeout;
  readonly #streams = new Set<ExchangeStream>();
  /** Open requests, including those that have no stream yet. */
  #active = 0;
  #retired = false;
  #closeCode: number | undefined;

  constructor(session: Http3ClientSession, where: string, onGone: () => void) {
    this.#session = session;
    this.where = where;
    session.on("goaway", () => this.retire());
    session.on("close", (info) => {
      this.#closeCode = info.errorCode;
      this.#retired = true;
      clearInterval(this.#pings);
      onGone();
    });
    this.#pings = setInterval(() => {
      if (this.#active > 0 && !session.closed) session.ping();
    }, PING_EVERY_MS);
    this.#pings.unref();
  }

  /** Whether new requests may start here. */
  get usable(): boolean {
    return !this.#retired && !this.#session.closed;
  }

  /** Accepts no new requests, and closes when the open ones are done. */
  retire(): void {
    this.#retired = true;
    if (this.#active === 0) void this.close();
  }

  /** Closes the connection and its requests. Never rejects. */
  async close(): Promise<void> {
    this.#retired = true;
    clearInterval(this.#pings);
    // A session that is closed from this side drops its streams, whose readers would wait for ever.
    for (const stream of this.#streams) {
      stream.destroy(new HttpClientError("closed", "the connection was closed on this side", this.where));
    }
    await this.#session.close().catch(() => undefined);
  }

  /** Sends one request. @throws HttpClientError, or the reason of the request's signal. */
  async send(out: Outgoing, headersTimeoutMs: number): Promise<Response> {
    this.#active++;
    let stream: ExchangeStream;
    try {
      stream = await this.#open(out, headersTimeoutMs);
    } catch (error) {
      this.#release();
      out.signal?.throwIfAborted();
      throw this.#explain(error as Error);
    }
    this.#streams.add(stream);
    stream.once("close", () => {
      this.#streams.delete(stream);
      this.#release();
    });
    return exchange(stream, out, {
      where: this.where,
      cancelCode: CANCELLED,
      headersTimeoutMs,
      explain: (error) => this.#explain(error),
    });
  }

  async #open(out: Outgoing, timeoutMs: number): Promise<ExchangeStream> {
    // Pseudo-headers first: headers are sent in this order, and RFC 9114 section 4.3 requires them before the fields.
    const headers = {
      ":method": out.method,
      ":scheme": "https",
      ":authority": out.authority,
      ":path": `${out.url.pathname}${out.url.search}`,
      ...out.headers,
    };
    const deadline = performance.now() + timeoutMs;
    // While uploads use up the flow control window, or as many requests are open as the server allows, no further one can begin. (The
    // package's own `requestAsync` waits as well, but it recognizes the error by its class, which differs between the realms of a test runner.)
    for (;;) {
      try {
        return this.#session.request(headers, { endStream: out.body === undefined });
      } catch (error) {
        const { message } = error as Error;
        // quiche's answer once a GOAWAY has come, whose event may still be on its way.
        if (/FrameUnexpected/.test(message)) {
          this.retire();
          throw new HttpClientError("rejected", "the server is going away", this.where, error as Error);
        }
        if (!/StreamBlocked|StreamLimit/.test(message)) throw error;
      }
      if (performance.now() > deadline) {
        throw new HttpClientError("headers-timeout", `could not begin within ${timeoutMs} ms`, this.where);
      }
      await delay(BLOCKED_MS, undefined, out.signal ? { signal: out.signal } : {});
      if (this.#retired)
        throw new HttpClientError("rejected", "the connection takes no more requests", this.where);
    }
  }

  #release(): void {
    this.#active--;
    if (this.#retired && this.#active === 0) void this.close();
  }

  #explain(error: Error & { code?: string; h3Code?: number; quicCode?: number }): Error {
    if (error instanceof HttpClientError) return error;
    if (error.code === "ERR_HTTP3_GOAWAY" || error.h3Code === REJECTED) {
      return new HttpClientError(
        "rejected",
        "the server is going away and did not take the request",
        this.where,
        error,
      );
    }
    if (error.code === "ERR_HTTP3_STREAM_ERROR") {
      const why = describeQuicCode(error.h3Code) ?? "no reason given";
      return new HttpClientError("reset", `the server reset the request: ${why}`, this.where, error);
    }
    const why = describeQuicCode(error.quicCode ?? this.#closeCode) ?? error.message;
    return new HttpClientError("closed", `the connection ended: ${why}`, this.where, error);
  }
}
