import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import type { Http3ClientSession } from "@currentspace/http3";
import { describeQuicCode, HttpClientError } from "./errors.ts";

/** Delay before the next address is tried too, milliseconds (RFC 8305 section 8). */
const STAGGER_MS = 250;
/** The idle timeout that this side requests. The smaller of both sides applies. */
const IDLE_MS = 120_000;

export interface DialTarget {
  /** Name for SNI and for the certificate. */
  host: string;
  port: number;
  /** Connect to this IP address instead of resolving `host`. */
  address: string | undefined;
  /** PEM, all trusted certificates. */
  ca: string;
  timeoutMs: number;
}

export interface Dialed {
  session: Http3ClientSession;
  address: string;
  where: string;
  /** Milliseconds from the first packet to the finished handshake. */
  handshakeMs: number;
}

type Package = typeof import("@currentspace/http3");

async function loadClient(where: string): Promise<Package> {
  try {
    // Loaded on demand, since only HTTP/3 needs these 58 MB of native code.
    return await import("@currentspace/http3");
  } catch (error) {
    const host = `${process.platform} ${process.arch}`;
    throw new HttpClientError(
      "unsupported-platform",
      `there is no HTTP/3 client for ${host} (Linux with glibc on x64 or arm64, or macOS on arm64, is needed)`,
      where,
      error,
    );
  }
}

async function addressesOf(target: DialTarget): Promise<string[]> {
  const bare = target.host.replace(/^\[|\]$/g, "");
  if (target.address !== undefined) return [target.address.replace(/^\[|\]$/g, "")];
  if (isIP(bare)) return [bare];
  try {
    return (await lookup(bare, { all: true })).map((entry) => entry.address);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? String(error);
    throw new HttpClientError("unresolved", `the name has no address: ${code}`, target.host, error);
  }
}

/**
 * Opens a QUIC connection and completes its HTTP/3 handshake. It tries all addresses, each a little later than the one
 * before. The first that answers is used, and the others are closed.
 * @throws HttpClientError: `unresolved`, `unsupported-platform`, `connect-timeout` or `handshake`.
 */
export async function dial(target: DialTarget): Promise<Dialed> {
  const addresses = await addressesOf(target);
  const http3 = await loadClient(target.host);
  const over = new AbortController();
  const attempts = addresses.map(async (address, index) => {
    if (index > 0) await delay(index * STAGGER_MS, undefined, { signal: over.signal });
    const dialed = await dialOne(http3, target, address);
    if (over.signal.aborted) {
      await dialed.session.close().catch(() => undefined);
      throw new Error("another address answered first");
    }
    over.abort();
    return dialed;
  });
  try {
    return await Promise.any(attempts);
  } catch (error) {
    // Every address failed. A refusal is more informative than a timeout.
    const failures = (error as AggregateError).errors as HttpClientError[];
    throw failures.find((failure) => failure.code === "handshake") ?? failures[0];
  }
}

async function dialOne(http3: Package, target: DialTarget, address: string): Promise<Dialed> {
  const where = `${target.host} at ${address} port ${target.port}/udp`;
  const started = performance.now();
  const session = http3.connect(
    { address, port: target.port, servername: target.host },
    {
      servername: target.host,
      ca: target.ca,
      // The other Linux driver (io_uring) is not allowed in every container.
      runtimeMode: "portable",
      connectTimeoutMs: target.timeoutMs,
      maxIdleTimeoutMs: IDLE_MS,
      metricsIntervalMs: 0,
    },
  );
  let closeCode: number | undefined;
  session.on("close", (info) => {
    closeCode = info.errorCode;
  });
  // Without a listener, an error event would end the process.
  session.on("error", () => undefined);
  try {
    await session.ready();
    return { session, address, where, handshakeMs: performance.now() - started };
  } catch (error) {
    await session.close().catch(() => undefined);
    if ((error as { reasonCode?: string }).reasonCode === "connect-timeout") {
      const what = `no QUIC handshake within ${target.timeoutMs} ms`;
      throw new HttpClientError("connect-timeout", what, where, error);
    }
    const why = describeQuicCode(closeCode) ?? (error as Error).message;
    throw new HttpClientError("handshake", `the HTTP/3 handshake failed: ${why}`, where, error);
  }
}
