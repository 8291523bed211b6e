import { Redis, type RedisOptions } from "iovalkey";
import { Periodic } from "../periodic.ts";
import { parseStoreUrl } from "./valkey-url.ts";

/** Longest pause between two attempts to connect, milliseconds. */
const RECONNECT_MS = 1_000;
/** Interval at which a connection that only subscribes is tested, milliseconds. */
const PING_MS = 5_000;
const LIMIT_MS = 3_000;
/**
 * Limit for the other side to close a connection that we ended, milliseconds. The client's timer runs to its end also for a connection
 * that is closed already, and the process cannot exit before (default 2,000).
 */
const DISCONNECT_MS = 100;

/** What happens to a command while Valkey is away. */
const WHEN_AWAY = {
  /** It waits for a few attempts to connect: long enough for a restart of Valkey (about 1.5 s). */
  wait: { maxRetriesPerRequest: 5 },
  /** It fails after one more attempt. */
  "retry once": { maxRetriesPerRequest: 1 },
  /** It fails at once: nothing is delayed. */
  fail: { enableOfflineQueue: false, maxRetriesPerRequest: 0 },
  /** The connection only subscribes, and does so again after each reconnect. */
  resubscribe: { maxRetriesPerRequest: null },
} as const satisfies Record<string, RedisOptions>;

export interface ValkeyConnectionOptions {
  /** Shown by CLIENT LIST. */
  readonly name: string;
  readonly whenAway: keyof typeof WHEN_AWAY;
  /** Limit for a connect and for an overdue answer, which ends the connection, milliseconds. Default 3,000. */
  readonly limitMs?: number;
  /** Limit for one command, milliseconds. Default `limitMs`. */
  readonly commandMs?: number;
  readonly scripts?: RedisOptions["scripts"];
  /** Receives the first error of each outage. */
  readonly onOutage?: (error: Error) => void;
}

/**
 * The one way to connect to Valkey. The connection detects by itself that the other side is gone, even if no packet says so (a partition,
 * a frozen process, an expired NAT entry): an overdue answer ends the connection, and a new one is made.
 *
 * @param url STORE_URL
 * @throws when the URL is not valid
 */
export function connectValkey(url: string, options: ValkeyConnectionOptions): Redis {
  const { name, whenAway, limitMs = LIMIT_MS, commandMs = limitMs, scripts, onOutage } = options;
  const { shown: _, ...address } = parseStoreUrl(url);
  const subscribes = whenAway === "resubscribe";
  const connection = new Redis({
    ...address,
    connectionName: name,
    connectTimeout: limitMs,
    socketTimeout: limitMs,
    disconnectTimeout: DISCONNECT_MS,
    retryStrategy: (times) => Math.min(times * 100, RECONNECT_MS),
    ...(subscribes ? {} : { commandTimeout: commandMs }),
    ...WHEN_AWAY[whenAway],
    ...(scripts ? { scripts } : {}),
  });
  let reported = false;
  connection.on("ready", () => {
    reported = false;
  });
  // A listener must be there: a command that fails reports its error itself.
  connection.on("error", (error: Error) => {
    if (!reported) onOutage?.(error);
    reported = true;
  });
  if (subscribes) ping(connection);
  return connection;
}

/** A connection that only subscribes sends nothing, so that it would never notice a missing answer. */
function ping(connection: Redis): void {
  const round = () => {
    // A missing answer ends the connection: see socketTimeout.
    if (connection.status === "ready") connection.ping().catch(() => undefined);
  };
  const pings = new Periodic({ everyMs: PING_MS, round, onError: () => undefined }).start();
  connection.once("end", () => void pings.stop());
}
