import { Redis, type RedisOptions } from "iovalkey";
import { parseStoreUrl } from "./valkey-url.ts";

/** Between two attempts to connect, milliseconds; it rises to this. */
const RECONNECT_MS = 1_000;
/** How often a connection that only listens proves that it still works, milliseconds. */
const PING_MS = 5_000;

export interface ValkeyConnectionOptions extends RedisOptions {
  /** Shown by CLIENT LIST. */
  readonly connectionName: string;
  /** A connect, or an answer, that takes longer has failed, milliseconds. */
  readonly limitMs: number;
}

/**
 * A connection that finds out by itself when the other side is gone, also when no packet says so (a partition, a frozen process, an address
 * translation that forgot it): an answer that is overdue ends the connection, and a new one is made.
 *
 * @param url STORE_URL @throws when it is none
 */
export function connectValkey(url: string, { limitMs, ...options }: ValkeyConnectionOptions): Redis {
  const { shown: _, ...address } = parseStoreUrl(url);
  return new Redis({
    ...address,
    connectTimeout: limitMs,
    socketTimeout: limitMs,
    retryStrategy: (times) => Math.min(times * 100, RECONNECT_MS),
    ...options,
  });
}

/** Keeps asking a connection that only listens, which would else never notice that nothing can arrive any more. @returns ends it */
export function keepAsking(connection: Redis): () => void {
  const timer = setInterval(() => {
    // An answer that does not come ends the connection: see socketTimeout.
    if (connection.status === "ready") connection.ping().catch(() => undefined);
  }, PING_MS).unref();
  return () => clearInterval(timer);
}
