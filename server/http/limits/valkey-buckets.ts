import type { Redis } from "iovalkey";
import { connectValkey } from "../../store/valkey-connection.ts";
import { parseStoreUrl } from "../../store/valkey-url.ts";
import { type BucketResult, type BucketStore, MemoryBuckets } from "./buckets.ts";

/** How long after a failure requests skip Valkey, milliseconds. */
const AWAY_MS = 1_000;
/** A bucket expires this long after it is full again, milliseconds. */
const SPARE_MS = 1_000;
const PREFIX = "mcp-edge:bucket:";

/**
 * Consumes a token atomically, by Valkey's own clock, since those of several machines differ. Needs Valkey, or Redis 6.2 or later.
 *
 * KEYS: bucket. ARGV: capacity, tokens per second. @returns 1 if consumed, whole tokens left, milliseconds to the next token
 */
const CONSUME = `
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
  consumeToken(key: string, capacity: number, perSecond: number): Promise<[number, number, number]>;
};

export interface ValkeyBucketsOptions {
  /** How long a request waits for its token, milliseconds. Default 250. */
  readonly commandMs?: number;
  /** Called once at the start of an outage, and once at its end. */
  onChange(available: boolean, why: string): void;
}

/**
 * Buckets that several machines share. While Valkey is unavailable, each machine counts for itself. The limit is then looser, but an outage
 * neither refuses clients nor lifts the limit.
 */
export class ValkeyBuckets implements BucketStore {
  readonly #db: Connection;
  readonly #own = new MemoryBuckets();
  readonly #shown: string;
  readonly #onChange: ValkeyBucketsOptions["onChange"];
  #available: boolean | undefined;
  #awayUntil = 0;

  /** @throws Error if the URL is invalid */
  constructor(url: string, { onChange, commandMs = 250 }: ValkeyBucketsOptions) {
    this.#shown = `Valkey ${parseStoreUrl(url).shown}`;
    this.#onChange = onChange;
    this.#db = connectValkey(url, {
      name: "mcp-edge-limits",
      // A request is not delayed, and no token is consumed late.
      whenAway: "fail",
      commandMs,
      scripts: { consumeToken: { lua: CONSUME, numberOfKeys: 1 } },
    }) as Connection;
    this.#db.on("ready", () => this.#is(true));
    this.#db.on("error", (error: Error) => this.#is(false, error.message));
    this.#db.on("close", () => this.#is(false, "no connection"));
  }

  async take(key: string, capacity: number, perSecond: number): Promise<BucketResult> {
    if (performance.now() >= this.#awayUntil) {
      try {
        const [allowed, left, waitMs] = await this.#db.consumeToken(PREFIX + key, capacity, perSecond);
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
