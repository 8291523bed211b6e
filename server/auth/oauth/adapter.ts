import { createHash } from "node:crypto";
import type { Adapter, AdapterFactory, AdapterPayload } from "oidc-provider";
import type { OAuthRecord, OAuthStore } from "./store.ts";

/** Records whose id is no secret; the ids of all others are credentials, and only their hashes are kept. */
const PUBLIC_IDS = new Set(["Client", "Grant"]);

/** What belongs to a grant and ends with it. */
const OF_GRANT = new Set(["RefreshToken", "AuthorizationCode", "AccessToken"]);

/**
 * Grace period of a used refresh token, milliseconds. Within it the token is accepted again: clients refresh twice at once (several windows,
 * several processes), or lose the response. Each refresh gets its own tokens. Later reuse revokes the grant (RFC 9700, section 4.14.2).
 */
export const REFRESH_GRACE_MS = 60_000;

/** How long unused registrations are kept, milliseconds. Clients register again for each attempt. */
const UNUSED_CLIENT_MS = 24 * 3_600_000;
/** From this number of clients on, new unused ones expire sooner: a flood of registrations fills the store for an hour, not a day. */
export const CROWDED = { clients: 1_000, unusedMs: 3_600_000 } as const;
/** How long registrations are kept after their last use, milliseconds. */
const USED_CLIENT_MS = 180 * 86_400_000;

export interface AdapterHooks {
  /** The longest that access tokens of a revoked grant remain valid, milliseconds. */
  readonly accessTokenMs: number;
  readonly now: () => number;
  /** A used refresh token was sent again within its grace period. */
  readonly onGrace: (grant: string) => void;
  readonly onGrantRevoked: (grant: string) => void;
}

/** oidc-provider's storage on an OAuthStore. */
export function adapterFactory(store: OAuthStore, hooks: AdapterHooks): AdapterFactory {
  return (model) => new StoreAdapter(model, store, hooks);
}

class StoreAdapter implements Adapter {
  readonly #model: string;
  readonly #store: OAuthStore;
  readonly #hooks: AdapterHooks;

  constructor(model: string, store: OAuthStore, hooks: AdapterHooks) {
    this.#model = model;
    this.#store = store;
    this.#hooks = hooks;
  }

  async upsert(id: string, payload: AdapterPayload, expiresIn?: number): Promise<void> {
    const model = this.#model;
    const { jti: _, consumed: __, ...kept } = payload;
    // The browser's cookie is a credential, and nobody reads it there.
    if (model === "Interaction") delete kept.session?.cookie;
    const now = this.#hooks.now();
    const life =
      model === "Client"
        ? await this.#unusedClientMs()
        : expiresIn === undefined
          ? undefined
          : expiresIn * 1_000;
    await this.#store.put({
      model,
      id: keyOf(model, id),
      payload: kept as Record<string, unknown>,
      ...(life === undefined ? {} : { expiresAt: now + life }),
      ...(OF_GRANT.has(model) && payload.grantId ? { grant: payload.grantId } : {}),
      ...(payload.uid ? { uid: payload.uid } : {}),
      ...(payload.accountId ? { person: payload.accountId } : {}),
      ...(payload.clientId ? { client: payload.clientId } : {}),
    });
    if (model === "RefreshToken" && payload.clientId) await keepClient(this.#store, payload.clientId, now);
  }

  async find(id: string): Promise<AdapterPayload | undefined> {
    const record = await this.#store.get(this.#model, keyOf(this.#model, id));
    return record && this.#payload(record, id);
  }

  async findByUid(uid: string): Promise<AdapterPayload | undefined> {
    const record = await this.#store.getByUid(this.#model, uid);
    return record && this.#payload(record, undefined);
  }

  async findByUserCode(): Promise<undefined> {
    return undefined;
  }

  async consume(id: string): Promise<void> {
    await this.#store.consume(this.#model, keyOf(this.#model, id), this.#hooks.now());
  }

  async destroy(id: string): Promise<void> {
    if (this.#model === "Grant") await this.revokeByGrantId(id);
    else await this.#store.remove(this.#model, keyOf(this.#model, id));
  }

  /** oidc-provider asks for each of a grant's models; all of them go at the first. */
  async revokeByGrantId(grant: string): Promise<void> {
    if (!(await this.#store.get("Grant", grant))) return;
    await this.#store.revokeGrant(grant, this.#hooks.now() + this.#hooks.accessTokenMs);
    this.#hooks.onGrantRevoked(grant);
  }

  async #unusedClientMs(): Promise<number> {
    const crowded = (await this.#store.count("Client")) >= CROWDED.clients;
    return crowded ? CROWDED.unusedMs : UNUSED_CLIENT_MS;
  }

  #payload(record: OAuthRecord, id: string | undefined): AdapterPayload {
    const payload = { ...record.payload } as AdapterPayload;
    if (id !== undefined && this.#model !== "Client") payload.jti = id;
    const { consumedAt } = record;
    if (consumedAt === undefined) return payload;
    if (this.#model === "RefreshToken" && this.#hooks.now() - consumedAt < REFRESH_GRACE_MS) {
      if (record.grant !== undefined) this.#hooks.onGrace(record.grant);
      return payload;
    }
    payload.consumed = Math.floor(consumedAt / 1_000);
    return payload;
  }
}

/** Keeps a registered client that is in use. Pre-registered ones (without an end) and metadata documents are nobody's to extend. */
async function keepClient(store: OAuthStore, id: string, now: number): Promise<void> {
  const record = await store.get("Client", id);
  if (record?.expiresAt === undefined || record.expiresAt > now + USED_CLIENT_MS / 2) return;
  await store.put({ ...record, expiresAt: now + USED_CLIENT_MS });
}

function keyOf(model: string, id: string): string {
  return PUBLIC_IDS.has(model) ? id : createHash("sha256").update(id).digest("base64url");
}
