import type { ChainableCommander, Redis, RedisOptions } from "iovalkey";
import type { FactsChange } from "./facts.ts";
import { fairCuts } from "./fair-cuts.ts";
import {
  type Batch,
  type CallRecord,
  LAST_N,
  LIMITS,
  type RequestId,
  type SessionRecord,
  STANDALONE,
  type Store,
  type StoredEvent,
  type StreamClaim,
} from "./store.ts";
import { connectValkey, keepAsking } from "./valkey-connection.ts";
import { SCRIPTS } from "./valkey-scripts.ts";
import { parseStoreUrl } from "./valkey-url.ts";

/** A command that takes longer has failed, milliseconds: a request must not hang on its store. */
const COMMAND_MS = 3_000;
/** Attempts to connect that a command outlives: with the pauses between them, a restart of Valkey (some 1.5 s). */
const ATTEMPTS = 5;
const PREFIX = "mcp-edge:";
const [BEATS, SLOTS, USED] = [`${PREFIX}beats`, `${PREFIX}slots`, `${PREFIX}used`];
/** The principals that have sessions. */
const PRINCIPALS = `${PREFIX}principals`;

/** The commands that the scripts add to a connection or a pipeline. */
interface Scripted<R> {
  mcpAppend(session: string, ...args: (string | number)[]): R;
  mcpChangeFacts(session: string, change: string): R;
  mcpClaim(session: string, stream: string): R;
  mcpForget(session: string): R;
}
type Connection = Redis & Scripted<Promise<unknown>>;
type Pipeline = ChainableCommander & Scripted<ChainableCommander>;

/**
 * The store that servers on several machines share: Valkey, or Redis from 6.2 on. Instances talk to each other by its pub/sub.
 *
 * When it is away, commands fail within seconds and say so; sessions in memory go on meanwhile, and the connection is taken up again.
 */
export class ValkeyStore implements Store {
  readonly name: string;
  readonly #db: Connection;
  readonly #url: string;
  readonly #warn: (message: string) => void;
  readonly #limitMs: number;
  #ears: { connection: Redis; stopAsking: () => void } | undefined;

  /**
   * @param warn told when the connection breaks
   * @param limitMs a command that takes longer has failed
   * @throws when the URL is none
   */
  constructor(url: string, warn: (message: string) => void, limitMs = COMMAND_MS) {
    this.name = `Valkey ${parseStoreUrl(url).shown}`;
    this.#url = url;
    this.#warn = warn;
    this.#limitMs = limitMs;
    this.#db = this.#connect({
      commandTimeout: limitMs,
      maxRetriesPerRequest: ATTEMPTS,
      scripts: SCRIPTS,
    }) as Connection;
  }

  async create({ id, principal, params, facts }: SessionRecord, keep = 0): Promise<void> {
    const record = { principal, params: JSON.stringify(params), facts: JSON.stringify(facts) };
    const now = Date.now();
    await done(
      this.#db
        .multi()
        .hset(base(id), record)
        .pexpire(base(id), LIMITS.sessionTtlMs)
        .zadd(USED, now, id)
        .zadd(usedBy(principal), now, id)
        .pexpire(usedBy(principal), LIMITS.sessionTtlMs)
        .sadd(PRINCIPALS, principal),
    );
    if (keep === 0) return;
    for (const old of await this.#db.zrange(usedBy(principal), 0, -keep - 1)) await this.remove(old);
  }

  async read(id: string): Promise<SessionRecord | undefined> {
    const { principal, params, facts } = await this.#db.hgetall(base(id));
    if (principal === undefined || params === undefined || facts === undefined) return undefined;
    return { id, principal, params: JSON.parse(params), facts: JSON.parse(facts) };
  }

  async changeFacts(id: string, change: FactsChange): Promise<void> {
    await this.#db.mcpChangeFacts(base(id), JSON.stringify(change));
  }

  async claimStream(id: string): Promise<StreamClaim | undefined> {
    const claimed = (await this.#db.mcpClaim(base(id), STANDALONE)) as [number, string] | null;
    return claimed ? { claim: claimed[0], last: Number(claimed[1]) } : undefined;
  }

  async lastClaim(id: string): Promise<number | undefined> {
    const [principal, claim] = await this.#db.hmget(base(id), "principal", "claim");
    return principal == null ? undefined : Number(claim ?? 0);
  }

  async touch(sessions: readonly Pick<SessionRecord, "id" | "principal">[]): Promise<void> {
    const pipeline = this.#db.pipeline();
    const now = Date.now();
    for (const { id, principal } of sessions)
      pipeline
        .pexpire(base(id), LIMITS.sessionTtlMs)
        .zadd(USED, "XX", now, id)
        .zadd(usedBy(principal), "XX", now, id)
        .pexpire(usedBy(principal), LIMITS.sessionTtlMs);
    await done(pipeline);
  }

  async remove(id: string): Promise<void> {
    const [principal, calls] = (await this.#db.mcpForget(base(id))) as [string | null, string[]];
    const pipeline = this.#db.pipeline().zrem(USED, id);
    if (principal !== null) pipeline.zrem(usedBy(principal), id);
    for (let i = 0; i + 1 < calls.length; i += 2) {
      const { instance } = JSON.parse(calls[i + 1] ?? "") as CallRecord;
      pipeline.hdel(callsOf(instance), calls[i] ?? "");
    }
    await done(pipeline);
  }

  async write({ started, events, ended }: Batch): Promise<void> {
    const pipeline = this.#pipeline();
    for (const call of started)
      pipeline
        .hset(`${base(call.session)}:k`, call.stream, JSON.stringify(call))
        .pexpire(`${base(call.session)}:k`, LIMITS.sessionTtlMs)
        .hset(callsOf(call.instance), call.stream, JSON.stringify(call));
    for (const { session, stream, n, message } of events)
      append(pipeline, session, stream, n === undefined ? "" : String(n), message);
    for (const { session, stream, instance } of ended)
      pipeline.hdel(`${base(session)}:k`, stream).hdel(callsOf(instance), stream);
    await done(pipeline);
  }

  async call(session: string, stream: string): Promise<CallRecord | undefined> {
    const text = await this.#db.hget(`${base(session)}:k`, stream);
    return text === null ? undefined : (JSON.parse(text) as CallRecord);
  }

  async events(
    session: string,
    stream: string,
    after: number,
    limit = Number.MAX_SAFE_INTEGER,
  ): Promise<StoredEvent[]> {
    const key = `${base(session)}:e:${stream}`;
    const entries = await this.#db.xrange(key, `${after + 1}-0`, "+", "COUNT", limit);
    return entries.map(([id, fields]) => ({ n: Number(id.split("-")[0]), message: fields[1] ?? "" }));
  }

  async beat(instance: string, slot: string) {
    await done(this.#db.multi().hincrby(BEATS, instance, 1).hset(SLOTS, instance, slot));
    return this.instances();
  }

  async instances() {
    const answers = await done(this.#db.multi().hgetall(BEATS).hgetall(SLOTS));
    const [beats, slots] = answers as [Record<string, string>, Record<string, string>];
    return new Map(
      Object.entries(beats).map(([id, count]) => [id, { slot: slots[id] ?? "", count: Number(count) }]),
    );
  }

  async bury(instance: string, message: (request: RequestId) => string): Promise<CallRecord[]> {
    const calls = Object.values(await this.#db.hgetall(callsOf(instance))).map(
      (text) => JSON.parse(text) as CallRecord,
    );
    const pipeline = this.#pipeline();
    for (const { session, stream, requests } of calls) {
      for (const [i, request] of requests.entries())
        append(pipeline, session, stream, String(LAST_N - requests.length + 1 + i), message(request));
      pipeline.hdel(`${base(session)}:k`, stream).hdel(callsOf(instance), stream);
    }
    pipeline.hdel(BEATS, instance).hdel(SLOTS, instance);
    await done(pipeline);
    return calls;
  }

  async post(from: string, to: string, text: string): Promise<void> {
    await this.#db.publish(`${PREFIX}to:${to}`, JSON.stringify({ from, text }));
  }

  async receive(instance: string, listener: (text: string) => void): Promise<void> {
    this.#closeEars();
    // A connection that listens can do nothing else. Once it has listened it does so again by itself after it broke.
    const connection = this.#connect({ maxRetriesPerRequest: null });
    this.#ears = { connection, stopAsking: keepAsking(connection) };
    connection.on("message", (_channel, envelope) => {
      const { from, text } = JSON.parse(envelope) as { from: string; text: string };
      if (from !== instance) listener(text);
    });
    const listens = connection.subscribe(`${PREFIX}to:*`, `${PREFIX}to:${instance}`);
    const late = new Promise<never>((_, reject) => {
      setTimeout(() => reject(new Error("Subscribing timed out")), this.#limitMs).unref();
    });
    await Promise.race([listens, late]);
  }

  poll(): void {
    // It tells by itself.
  }

  async sweep(maxSessions: number = LIMITS.maxSessions): Promise<void> {
    const before = Date.now() - LIMITS.sessionTtlMs;
    const principals = await this.#db.smembers(PRINCIPALS);
    const pipeline = this.#db.pipeline().zremrangebyscore(USED, "-inf", before).zcard(USED);
    for (const principal of principals)
      pipeline.zremrangebyscore(usedBy(principal), "-inf", before).zcard(usedBy(principal));
    const answers = (await done(pipeline)) as number[];
    const sizes = new Map(principals.map((principal, n) => [principal, answers[2 * n + 3] ?? 0]));
    const gone = principals.filter((principal) => sizes.get(principal) === 0);
    if (gone.length > 0) await this.#db.srem(PRINCIPALS, ...gone);
    for (const [principal, cut] of fairCuts(sizes, (answers[1] ?? 0) - maxSessions))
      for (const id of await this.#db.zrange(usedBy(principal), 0, cut - 1)) await this.remove(id);
  }

  async check(): Promise<string> {
    // A write, since a full Valkey still reads.
    await this.#db.set(`${PREFIX}probe`, "1", "PX", 60_000);
    return `${await this.#db.zcard(USED)} sessions in ${this.name}`;
  }

  async close(): Promise<void> {
    this.#closeEars();
    this.#db.disconnect();
  }

  #closeEars(): void {
    this.#ears?.stopAsking();
    this.#ears?.connection.disconnect();
  }

  #pipeline(): Pipeline {
    return this.#db.pipeline() as Pipeline;
  }

  #connect(more: RedisOptions): Redis {
    const connection = connectValkey(this.#url, {
      connectionName: "mcp-edge",
      limitMs: this.#limitMs,
      ...more,
    });
    // One word an outage, not one an attempt.
    let told = false;
    connection.on("ready", () => {
      told = false;
    });
    connection.on("error", (error: Error) => {
      if (!told) this.#warn(`${this.name}: ${error.message}`);
      told = true;
    });
    return connection;
  }
}

function base(session: string): string {
  return `${PREFIX}{${session}}`;
}

/** A sorted set: the sessions of a principal by their last use. */
function usedBy(principal: string): string {
  return `${PREFIX}used-by:${principal}`;
}

function callsOf(instance: string): string {
  return `${PREFIX}calls:${instance}`;
}

function append(pipeline: Pipeline, session: string, stream: string, n: string, message: string): void {
  const limits = [LIMITS.maxEvents, LIMITS.maxEventChars, LIMITS.eventTtlMs];
  pipeline.mcpAppend(base(session), stream, n, message, Date.now(), ...limits);
}

/** Runs a pipeline or a transaction. @throws the first error in it */
async function done(pipeline: ChainableCommander): Promise<unknown[]> {
  const answers = (await pipeline.exec()) ?? [];
  for (const [error] of answers) if (error) throw error;
  return answers.map(([, value]) => value);
}
