import type { ChainableCommander, Redis } from "iovalkey";
import { connectValkey } from "../../store/valkey-connection.ts";
import { parseStoreUrl } from "../../store/valkey-url.ts";
import { LIST_LIMIT, type OAuthRecord, type OAuthStore, type RecordFilter } from "./store.ts";

const PREFIX = "mcp-edge:oauth:";
const CHANGES = `${PREFIX}changes`;
const REVOKED = `${PREFIX}revoked`;

/** KEYS: the record. ARGV: the moment. Sets it once, in a record that is there. */
const CONSUME = `
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
return redis.call('HSETNX', KEYS[1], 'consumedAt', ARGV[1])`;
/** KEYS: the document, the count of changes. ARGV: '1' when it must exist, what it must be, its new value. */
const WRITE_DOCUMENT = `
local now = redis.call('GET', KEYS[1])
if ARGV[1] == '0' then if now then return 0 end
elseif now ~= ARGV[2] then return 0 end
redis.call('SET', KEYS[1], ARGV[3])
redis.call('INCR', KEYS[2])
return 1`;
/** KEYS: the record. ARGV: fields and values. Creates it unless it is there. */
const ADD = `
if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
redis.call('HSET', KEYS[1], unpack(ARGV))
return 1`;

type Connection = Redis & {
  oauthConsume(...args: (string | number)[]): Promise<number>;
  oauthWriteDocument(...args: (string | number)[]): Promise<number>;
  oauthAdd(...args: (string | number)[]): Promise<number>;
};

type Filter = { [K in keyof RecordFilter]: RecordFilter[K] | undefined };

const FIELDS = ["expiresAt", "consumedAt", "grant", "uid", "person", "client"] as const;

/** In Valkey (or Redis 7): one hash a record, and sets that find them by kind, grant and person. */
export class ValkeyOAuthStore implements OAuthStore {
  readonly name: string;
  readonly #db: Connection;
  readonly #now: () => number;

  /** @throws when the URL is none */
  constructor(url: string, now: () => number = Date.now) {
    this.name = `Valkey ${parseStoreUrl(url).shown}`;
    this.#now = now;
    this.#db = connectValkey(url, {
      name: "mcp-edge-oauth",
      whenAway: "retry once",
      scripts: {
        oauthConsume: { lua: CONSUME, numberOfKeys: 1 },
        oauthWriteDocument: { lua: WRITE_DOCUMENT, numberOfKeys: 2 },
        oauthAdd: { lua: ADD, numberOfKeys: 1 },
      },
    }) as Connection;
  }

  async put(record: OAuthRecord): Promise<void> {
    const multi = this.#db.multi();
    const key = recordKey(record.model, record.id);
    // Not consumedAt, which stays as it is.
    const gone = FIELDS.filter((field) => field !== "consumedAt" && record[field] === undefined);
    if (gone.length > 0) multi.hdel(key, ...gone);
    multi.hset(key, fieldsOf(record));
    await finish(this.#index(multi, record));
  }

  async add(record: OAuthRecord): Promise<boolean> {
    const key = recordKey(record.model, record.id);
    const fields = Object.entries(fieldsOf(record)).flat();
    if ((await this.#db.oauthAdd(key, ...fields)) !== 1) return false;
    await finish(this.#index(this.#db.multi(), record));
    return true;
  }

  async get(model: string, id: string): Promise<OAuthRecord | undefined> {
    return this.#live(recordOf(model, id, await this.#db.hgetall(recordKey(model, id))));
  }

  async getByUid(model: string, uid: string): Promise<OAuthRecord | undefined> {
    const id = await this.#db.get(uidKey(model, uid));
    return id === null ? undefined : this.get(model, id);
  }

  async consume(model: string, id: string, at: number): Promise<boolean> {
    return (await this.#db.oauthConsume(recordKey(model, id), at)) === 1;
  }

  async take(model: string, id: string): Promise<OAuthRecord | undefined> {
    const key = recordKey(model, id);
    const [fields] = await finish(this.#db.multi().hgetall(key).del(key).zrem(modelKey(model), id));
    return this.#live(recordOf(model, id, fields as Record<string, string>));
  }

  async remove(model: string, id: string): Promise<void> {
    await this.take(model, id);
  }

  async list(model: string, { person, client }: RecordFilter = {}): Promise<OAuthRecord[]> {
    const listed: OAuthRecord[] = [];
    if (person !== undefined) {
      const known = await this.#db.smembers(personKey(person, model));
      // The set also has records that have expired, so its beginning alone could hide the live ones.
      for (let from = 0; from < known.length && listed.length < LIST_LIMIT; from += LIST_LIMIT) {
        const ids = known.slice(from, from + LIST_LIMIT);
        const records = await this.#records(model, ids);
        const gone = ids.filter((_, n) => records[n] === undefined);
        if (gone.length > 0) await this.#db.srem(personKey(person, model), ...gone);
        listed.push(...this.#matching(records, { person, client }));
      }
      return listed.slice(0, LIST_LIMIT);
    }
    for (let from = 0; listed.length < LIST_LIMIT; from += LIST_LIMIT) {
      const ids = await this.#ids(model, from);
      listed.push(...this.#matching(await this.#records(model, ids), { client }));
      if (ids.length < LIST_LIMIT) break;
    }
    return listed.slice(0, LIST_LIMIT);
  }

  async count(model: string): Promise<number> {
    return this.#db.zcount(modelKey(model), this.#now(), "+inf");
  }

  async revokeGrant(grant: string, until: number): Promise<void> {
    const members = await this.#db.smembers(grantKey(grant));
    const multi = this.#db.multi();
    for (const member of [...members, `Grant:${grant}`]) {
      const [model = "", id = ""] = splitOnce(member);
      multi.del(recordKey(model, id)).zrem(modelKey(model), id);
    }
    multi.del(grantKey(grant)).zadd(REVOKED, "GT", until, grant).incr(CHANGES);
    await finish(multi);
  }

  async revokeToken(id: string, until: number): Promise<void> {
    await finish(this.#db.multi().zadd(REVOKED, "GT", until, id).incr(CHANGES));
  }

  async revoked(): Promise<ReadonlySet<string>> {
    return new Set(await this.#db.zrangebyscore(REVOKED, `(${this.#now()}`, "+inf"));
  }

  async readDocument(name: string): Promise<string | undefined> {
    return (await this.#db.get(documentKey(name))) ?? undefined;
  }

  async writeDocument(name: string, expected: string | undefined, value: string): Promise<boolean> {
    const given = expected === undefined ? ["0", ""] : ["1", expected];
    return (await this.#db.oauthWriteDocument(documentKey(name), CHANGES, ...given, value)) === 1;
  }

  async changes(): Promise<number> {
    return Number((await this.#db.get(CHANGES)) ?? 0);
  }

  async sweep(): Promise<void> {
    // Valkey removes the records themselves; only the indexes are ours.
    const models = await this.#db.smembers(`${PREFIX}models`);
    for (const model of models) await this.#db.zremrangebyscore(modelKey(model), "-inf", this.#now());
    await this.#db.zremrangebyscore(REVOKED, "-inf", this.#now());
  }

  async close(): Promise<void> {
    this.#db.disconnect();
  }

  #ids(model: string, from: number): Promise<string[]> {
    return this.#db.zrangebyscore(modelKey(model), this.#now(), "+inf", "LIMIT", from, LIST_LIMIT);
  }

  async #records(model: string, ids: readonly string[]): Promise<(OAuthRecord | undefined)[]> {
    if (ids.length === 0) return [];
    const pipeline = this.#db.multi();
    for (const id of ids) pipeline.hgetall(recordKey(model, id));
    const found = await finish(pipeline);
    return ids.map((id, n) => recordOf(model, id, found[n] as Record<string, string>));
  }

  #matching(records: readonly (OAuthRecord | undefined)[], { person, client }: Filter): OAuthRecord[] {
    return records.flatMap((record) => {
      const live = this.#live(record);
      if (!live || (person !== undefined && live.person !== person)) return [];
      return client === undefined || live.client === client ? [live] : [];
    });
  }

  #index(multi: ChainableCommander, record: OAuthRecord): ChainableCommander {
    const { model, id, expiresAt, grant, uid, person } = record;
    const key = recordKey(model, id);
    if (expiresAt === undefined) multi.persist(key);
    else multi.pexpireat(key, expiresAt);
    multi.sadd(`${PREFIX}models`, model).zadd(modelKey(model), expiresAt ?? "+inf", id);
    if (grant !== undefined)
      expiring(multi.sadd(grantKey(grant), `${model}:${id}`), grantKey(grant), expiresAt);
    if (person !== undefined) multi.sadd(personKey(person, model), id);
    if (uid !== undefined) {
      multi.set(uidKey(model, uid), id);
      if (expiresAt !== undefined) multi.pexpireat(uidKey(model, uid), expiresAt);
    }
    return multi;
  }

  #live(record: OAuthRecord | undefined): OAuthRecord | undefined {
    return record?.expiresAt !== undefined && record.expiresAt <= this.#now() ? undefined : record;
  }
}

/** A set lives as long as its last member. */
function expiring(multi: ChainableCommander, key: string, expiresAt: number | undefined): void {
  if (expiresAt === undefined) multi.persist(key);
  else multi.pexpireat(key, expiresAt, "NX").pexpireat(key, expiresAt, "GT");
}

async function finish(multi: ChainableCommander): Promise<unknown[]> {
  const results = (await multi.exec()) ?? [];
  return results.map(([error, value]) => {
    if (error) throw error;
    return value;
  });
}

const recordKey = (model: string, id: string) => `${PREFIX}record:${model}:${id}`;
const modelKey = (model: string) => `${PREFIX}model:${model}`;
const grantKey = (grant: string) => `${PREFIX}grant:${grant}`;
const personKey = (person: string, model: string) => `${PREFIX}person:${person}:${model}`;
const uidKey = (model: string, uid: string) => `${PREFIX}uid:${model}:${uid}`;
const documentKey = (name: string) => `${PREFIX}document:${name}`;

function splitOnce(text: string): [string, string] {
  const at = text.indexOf(":");
  return [text.slice(0, at), text.slice(at + 1)];
}

function fieldsOf(record: OAuthRecord): Record<string, string> {
  const optional = FIELDS.flatMap((field) =>
    record[field] === undefined ? [] : [[field, String(record[field])]],
  );
  return { payload: JSON.stringify(record.payload), ...Object.fromEntries(optional) };
}

function recordOf(model: string, id: string, fields: Record<string, string>): OAuthRecord | undefined {
  const { payload, expiresAt, consumedAt, grant, uid, person, client } = fields;
  if (payload === undefined) return undefined;
  return {
    model,
    id,
    payload: JSON.parse(payload),
    ...(expiresAt === undefined ? {} : { expiresAt: Number(expiresAt) }),
    ...(consumedAt === undefined ? {} : { consumedAt: Number(consumedAt) }),
    ...(grant === undefined ? {} : { grant }),
    ...(uid === undefined ? {} : { uid }),
    ...(person === undefined ? {} : { person }),
    ...(client === undefined ? {} : { client }),
  };
}
