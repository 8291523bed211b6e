import type { Redis } from "iovalkey";
import { connectValkey } from "../../store/valkey-connection.ts";
import { parseStoreUrl } from "../../store/valkey-url.ts";
import { type BucketStore, MemoryBuckets, type Taken } from "./buckets.ts";

/** After a failure the next requests do not wait at all, so long, milliseconds. */
const AWAY_MS = 1_000;
/** A full bucket need not be kept: it is forgotten so long after it must be full again, milliseconds. */
const SPARE_MS = 1_000;
const PREFIX = "mcp-edge:bucket:";

/**
 * Takes a token in one step, by Valkey's own clock: those of several machines differ. Valkey, and Redis from 6.2 on.
 *
 * KEYS: bucket. ARGV: capacity, tokens a second. @returns 1 when taken, whole tokens left, milliseconds to the next one
 */
const TAKE = `
local time = redis.call('TIME')
local now = time[1] * 1000 + time[2] / 1000
local capacity, rate = tonumber(ARGV[1]), tonumber(ARGV[2])
local kept = redis.call('HMGET', KEYS[1], 'tokens', 'at')
local tokens = capacity
if kept[1] then
  tokens = math.min(capacity, tonumber(kept[1]) + math.max(0, now - tonumber(kept[2])) / 1000 * rate)
end
local allowed = tokens >= 1
if allowed then tokens = tokens - 1 end
redis.call('HSET', KEYS[1], 'tokens', string.format('%.6f', tokens), 'at', string.format('%.3f', now))
redis.call('PEXPIRE', KEYS[1], math.ceil((capacity - tokens) / rate * 1000) + ${SPARE_MS})
if allowed then return {1, math.floor(tokens), 0} end
return {0, 0, math.ceil((1 - tokens) / rate * 1000)}
`;

type Connection = Redis & {
  takeToken(key: string, capacity: number, perSecond: number): Promise<[number, number, number]>;
};

export interface ValkeyBucketsOptions {
  /** A request waits no longer for its token, milliseconds. Default 250. */
  readonly commandMs?: number;
  /** Told once an outage, and once at its end. */
  onChange(available: boolean, why: string): void;
}

/**
 * Buckets that several machines share. While the store is away each machine counts for itself: the limit is looser then, and nobody
 * is turned away, or let in without limit, because of it.
 */
export class ValkeyBuckets implements BucketStore {
  readonly #db: Connection;
  readonly #own = new MemoryBuckets();
  readonly #shown: string;
  readonly #onChange: ValkeyBucketsOptions["onChange"];
  #available: boolean | undefined;
  #awayUntil = 0;

  /** @throws when the URL is none */
  constructor(url: string, { onChange, commandMs = 250 }: ValkeyBucketsOptions) {
    this.#shown = `Valkey ${parseStoreUrl(url).shown}`;
    this.#onChange = onChange;
    this.#db = connectValkey(url, {
      name: "mcp-edge-limits",
      // A request is not delayed, and no token is taken late.
      whenAway: "fail",
      commandMs,
      scripts: { takeToken: { lua: TAKE, numberOfKeys: 1 } },
    }) as Connection;
    this.#db.on("ready", () => this.#is(true));
    this.#db.on("error", (error: Error) => this.#is(false, error.message));
    this.#db.on("close", () => this.#is(false, "no connection"));
  }

  async take(key: string, capacity: number, perSecond: number): Promise<Taken> {
    if (performance.now() >= this.#awayUntil) {
      try {
        const [allowed, left, waitMs] = await this.#db.takeToken(PREFIX + key, capacity, perSecond);
        this.#is(true);
        return { allowed: allowed === 1, left, waitMs };
      } catch (error) {
        this.#awayUntil = performance.now() + AWAY_MS;
        this.#is(false, (error as Error).message);
      }
    }
    return this.#own.take(key, capacity, perSecond);
  }

  close(): void {
    this.#db.removeAllListeners("close");
    this.#db.disconnect();
  }

  #is(available: boolean, problem?: string): void {
    if (this.#available === available) return;
    this.#available = available;
    this.#onChange(
      available,
      available ? this.#shown : `${this.#shown}: ${problem}; each server counts for itself until it is back`,
    );
  }
}
