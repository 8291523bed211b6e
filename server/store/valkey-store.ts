import { fairCuts } from "./fair-cuts.ts";
import type { SessionState, StateChange } from "./session-state.ts";
import {
  type Batch,
  type CallRecord,
  type InstanceBeat,
  LAST_N,
  LIMITS,
  type RequestId,
  type SessionRecord,
  STANDALONE,
  type Store,
  type StoredEvent,
  type StreamClaim,
} from "./store.ts";
import { connectValkey, type ValkeyConnectionOptions } from "./valkey-connection.ts";
import {
  eventsKey,
  instanceCallsKey,
  KEYS,
  removedKey,
  sessionCallsKey,
  sessionKey,
  usedByKey,
} from "./valkey-keys.ts";
import { ValkeyMessages } from "./valkey-messages.ts";
import { append, type Connection, done, type Pipeline, SCRIPTS } from "./valkey-scripts.ts";
import { parseStoreUrl } from "./valkey-url.ts";

/** Limit for a command, milliseconds: a request must not hang on its store. */
const COMMAND_MS = 3_000;
/** How long a removed session is marked as such, milliseconds: longer than an instance takes to look through all sessions in its memory. */
const REMOVED_MARK_MS = 600_000;

/**
 * The store that servers on several machines share: Valkey, or Redis from 6.2 on. The instances' messages use its pub/sub.
 *
 * While it is away, commands fail within seconds, sessions in memory keep working, and the connection is retried.
 */
export class ValkeyStore implements Store {
  readonly name: string;
  readonly #db: Connection;
  readonly #messages: ValkeyMessages;

  /**
   * @param warn receives a message when the connection breaks
   * @param limitMs limit for a command
   * @throws when the URL is not valid
   */
  constructor(url: string, warn: (message: string) => void, limitMs = COMMAND_MS) {
    this.name = `Valkey ${parseStoreUrl(url).shown}`;
    const connect = (whenAway: ValkeyConnectionOptions["whenAway"]) =>
      connectValkey(url, {
        name: "mcp-edge",
        whenAway,
        limitMs,
        scripts: SCRIPTS,
        onOutage: (error) => warn(`${this.name}: ${error.message}`),
      });
    this.#db = connect("wait") as Connection;
    this.#messages = new ValkeyMessages({ publisher: this.#db, connect, limitMs });
  }

  async create({ id, principal, params, state }: SessionRecord, keep = 0): Promise<void> {
    const record = { principal, params: JSON.stringify(params), facts: JSON.stringify(state) };
    const now = Date.now();
    await done(
      this.#db
        .multi()
        .hset(sessionKey(id), record)
        .pexpire(sessionKey(id), LIMITS.sessionTtlMs)
        .zadd(KEYS.used, now, id)
        .zadd(usedByKey(principal), now, id)
        .pexpire(usedByKey(principal), LIMITS.sessionTtlMs)
        .sadd(KEYS.principals, principal),
    );
    if (keep === 0) return;
    for (const old of await this.#db.zrange(usedByKey(principal), 0, -keep - 1)) await this.remove(old);
  }

  async read(id: string): Promise<SessionRecord | undefined> {
    const { principal, params, facts } = await this.#db.hgetall(sessionKey(id));
    if (principal === undefined || params === undefined || facts === undefined) return undefined;
    return { id, principal, params: JSON.parse(params), state: JSON.parse(facts) };
  }

  async changeState(id: string, change: StateChange): Promise<void> {
    await this.#db.mcpChangeState(sessionKey(id), JSON.stringify(change));
  }

  async states(ids: readonly string[]): Promise<Map<string, SessionState | undefined>> {
    const pipeline = this.#db.pipeline();
    for (const id of ids) pipeline.hget(sessionKey(id), "facts").exists(removedKey(id));
    const answers = await done(pipeline);
    const states = new Map<string, SessionState | undefined>();
    for (const [i, id] of ids.entries()) {
      const [facts, removed] = answers.slice(2 * i, 2 * i + 2) as [string | null, number];
      if (facts !== null) states.set(id, JSON.parse(facts));
      else if (removed) states.set(id, undefined);
    }
    return states;
  }

  async claimStream(id: string): Promise<StreamClaim | undefined> {
    const claimed = (await this.#db.mcpClaim(sessionKey(id), STANDALONE)) as [number, string] | null;
    return claimed ? { claim: claimed[0], last: Number(claimed[1]) } : undefined;
  }

  async lastClaim(id: string): Promise<number | undefined> {
    const [principal, claim] = await this.#db.hmget(sessionKey(id), "principal", "claim");
    return principal == null ? undefined : Number(claim ?? 0);
  }

  async touch(sessions: readonly Pick<SessionRecord, "id" | "principal">[]): Promise<void> {
    const pipeline = this.#db.pipeline();
    const now = Date.now();
    for (const { id, principal } of sessions)
      pipeline
        .pexpire(sessionKey(id), LIMITS.sessionTtlMs)
        .zadd(KEYS.used, "XX", now, id)
        .zadd(usedByKey(principal), "XX", now, id)
        .pexpire(usedByKey(principal), LIMITS.sessionTtlMs);
    await done(pipeline);
  }

  async remove(id: string): Promise<void> {
    const [principal, calls] = (await this.#db.mcpRemove(sessionKey(id), REMOVED_MARK_MS)) as [
      string | null,
      string[],
    ];
    const pipeline = this.#db.pipeline().zrem(KEYS.used, id);
    if (principal !== null) pipeline.zrem(usedByKey(principal), id);
    for (let i = 0; i + 1 < calls.length; i += 2) {
      const { instance } = JSON.parse(calls[i + 1] ?? "") as CallRecord;
      pipeline.hdel(instanceCallsKey(instance), calls[i] ?? "");
    }
    await done(pipeline);
  }

  async write({ started, events, ended }: Batch): Promise<void> {
    const pipeline = this.#pipeline();
    for (const call of started)
      pipeline
        .hset(sessionCallsKey(call.session), call.stream, JSON.stringify(call))
        .pexpire(sessionCallsKey(call.session), LIMITS.sessionTtlMs)
        .hset(instanceCallsKey(call.instance), call.stream, JSON.stringify(call));
    for (const { session, stream, n, message } of events)
      append(pipeline, session, stream, n === undefined ? "" : String(n), message);
    for (const { session, stream, instance } of ended)
      pipeline.hdel(sessionCallsKey(session), stream).hdel(instanceCallsKey(instance), stream);
    await done(pipeline);
  }

  async call(session: string, stream: string): Promise<CallRecord | undefined> {
    const text = await this.#db.hget(sessionCallsKey(session), stream);
    return text === null ? undefined : (JSON.parse(text) as CallRecord);
  }

  async events(
    session: string,
    stream: string,
    after: number,
    limit = Number.MAX_SAFE_INTEGER,
  ): Promise<StoredEvent[]> {
    const entries = await this.#db.xrange(eventsKey(session, stream), `${after + 1}-0`, "+", "COUNT", limit);
    return entries.map(([id, fields]) => ({ n: Number(id.split("-")[0]), message: fields[1] ?? "" }));
  }

  async beat(instance: string, slot: string): Promise<Map<string, InstanceBeat>> {
    await done(this.#db.multi().hincrby(KEYS.beats, instance, 1).hset(KEYS.slots, instance, slot));
    return this.instances();
  }

  async instances(): Promise<Map<string, InstanceBeat>> {
    const answers = await done(this.#db.multi().hgetall(KEYS.beats).hgetall(KEYS.slots));
    const [beats, slots] = answers as [Record<string, string>, Record<string, string>];
    return new Map(
      Object.entries(beats).map(([id, count]) => [id, { slot: slots[id] ?? "", count: Number(count) }]),
    );
  }

  async reap(instance: string, message: (request: RequestId) => string): Promise<CallRecord[]> {
    const calls = Object.values(await this.#db.hgetall(instanceCallsKey(instance))).map(
      (text) => JSON.parse(text) as CallRecord,
    );
    const pipeline = this.#pipeline();
    for (const { session, stream, requests } of calls) {
      for (const [i, request] of requests.entries())
        append(pipeline, session, stream, String(LAST_N - requests.length + 1 + i), message(request));
      pipeline.hdel(sessionCallsKey(session), stream).hdel(instanceCallsKey(instance), stream);
    }
    pipeline.hdel(KEYS.beats, instance).hdel(KEYS.slots, instance);
    await done(pipeline);
    return calls;
  }

  send(from: string, to: string, text: string): Promise<void> {
    return this.#messages.send(from, to, text);
  }

  receive(instance: string, listener: (text: string) => void): Promise<void> {
    return this.#messages.receive(instance, listener);
  }

  poll(): void {
    // Messages arrive by themselves.
  }

  async sweep(maxSessions: number = LIMITS.maxSessions): Promise<void> {
    const before = Date.now() - LIMITS.sessionTtlMs;
    const principals = await this.#db.smembers(KEYS.principals);
    const pipeline = this.#db.pipeline().zremrangebyscore(KEYS.used, "-inf", before).zcard(KEYS.used);
    for (const principal of principals)
      pipeline.zremrangebyscore(usedByKey(principal), "-inf", before).zcard(usedByKey(principal));
    const answers = (await done(pipeline)) as number[];
    const sizes = new Map(principals.map((principal, n) => [principal, answers[2 * n + 3] ?? 0]));
    const empty = principals.filter((principal) => sizes.get(principal) === 0);
    if (empty.length > 0) await this.#db.srem(KEYS.principals, ...empty);
    for (const [principal, cut] of fairCuts(sizes, (answers[1] ?? 0) - maxSessions))
      for (const id of await this.#db.zrange(usedByKey(principal), 0, cut - 1)) await this.remove(id);
  }

  async check(): Promise<string> {
    // A write, since a full Valkey still reads.
    await this.#db.set(KEYS.probe, "1", "PX", 60_000);
    return `${await this.#db.zcard(KEYS.used)} sessions in ${this.name}`;
  }

  async close(): Promise<void> {
    this.#messages.close();
    this.#db.disconnect();
  }

  #pipeline(): Pipeline {
    return this.#db.pipeline() as Pipeline;
  }
}
