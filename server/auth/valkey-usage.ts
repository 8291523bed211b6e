import type { Redis } from "iovalkey";
import { connectValkey } from "../store/valkey-connection.ts";
import { parseStoreUrl } from "../store/valkey-url.ts";
import { KEPT_DAYS, type TokenUse, type UsageDelta, type UsageStore } from "./usage-store.ts";

const CALLS = "mcp-edge:usage:";
const LAST_USE = "mcp-edge:last-use";

/**
 * Adds a report in one step, so that none is counted by half. KEYS: the day's calls, the last uses.
 * ARGV: life of a day's calls (s), then for each token: id, calls, last use (ms).
 */
const ADD = `
for i = 2, #ARGV, 3 do
  redis.call('HINCRBY', KEYS[1], ARGV[i], ARGV[i + 1])
  local before = redis.call('HGET', KEYS[2], ARGV[i])
  if not before or tonumber(before) < tonumber(ARGV[i + 2]) then
    redis.call('HSET', KEYS[2], ARGV[i], ARGV[i + 2])
  end
end
redis.call('EXPIRE', KEYS[1], ARGV[1])
redis.call('EXPIRE', KEYS[2], 400 * 86400)
`;

type Connection = Redis & { addUsage(...args: (string | number)[]): Promise<unknown> };

/** Counts that several machines share. When it is away, reports fail and are made later (see Usage). */
export class ValkeyUsage implements UsageStore {
  readonly name: string;
  readonly #db: Connection;

  /** @throws when the URL is none */
  constructor(url: string) {
    this.name = `Valkey ${parseStoreUrl(url).shown}`;
    this.#db = connectValkey(url, {
      name: "mcp-edge-usage",
      whenAway: "retry once",
      scripts: { addUsage: { lua: ADD, numberOfKeys: 2 } },
    }) as Connection;
  }

  async add(day: string, deltas: readonly UsageDelta[]): Promise<Map<string, number>> {
    if (deltas.length > 0) {
      const flat = deltas.flatMap(({ token, calls, lastUsedAt }) => [token, calls, lastUsedAt]);
      await this.#db.addUsage(CALLS + day, LAST_USE, KEPT_DAYS * 86_400, ...flat);
    }
    const calls = Object.entries(await this.#db.hgetall(CALLS + day));
    return new Map(calls.map(([token, count]) => [token, Number(count)]));
  }

  /** Each token's last use and its calls on `day`, for `token list`. */
  async read(day: string): Promise<Map<string, TokenUse>> {
    const [uses, calls] = await Promise.all([this.#db.hgetall(LAST_USE), this.add(day, [])]);
    return new Map(
      Object.entries(uses).map(([token, at]) => [
        token,
        { lastUsedAt: Number(at), callsToday: calls.get(token) ?? 0 },
      ]),
    );
  }

  async close(): Promise<void> {
    this.#db.disconnect();
  }
}
