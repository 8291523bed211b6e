/** One record of the authorization server: a client, grant, token, code, sign-in, interaction, or what another module keeps here. */
export interface OAuthRecord {
  /** Its kind, such as `RefreshToken`. Kinds have ids of their own. */
  readonly model: string;
  readonly id: string;
  /** A JSON object. */
  readonly payload: Readonly<Record<string, unknown>>;
  /** Milliseconds since 1970; undefined: kept until removed. */
  readonly expiresAt?: number;
  /** When it was used first (codes, refresh tokens), milliseconds since 1970. */
  readonly consumedAt?: number;
  /** The grant it belongs to: removed together with it. */
  readonly grant?: string;
  /** A second id. */
  readonly uid?: string;
  readonly person?: string;
  readonly client?: string;
}

export interface RecordFilter {
  readonly person?: string;
  readonly client?: string;
}

/**
 * Where the authorization server keeps its state. All instances share it: the two servers of a release switch share a file, several
 * machines share a Valkey. Expired records are not found. Other modules of `server/auth` may keep records of their own models here.
 */
export interface OAuthStore {
  /** For people to read; without a password. */
  readonly name: string;
  /** Creates or replaces; `consumedAt` is kept when the record is there. */
  put(record: OAuthRecord): Promise<void>;
  /** Creates. @returns false when there is such a record already */
  add(record: OAuthRecord): Promise<boolean>;
  get(model: string, id: string): Promise<OAuthRecord | undefined>;
  getByUid(model: string, uid: string): Promise<OAuthRecord | undefined>;
  /** Notes the first use; later ones change nothing. @returns true for the first */
  consume(model: string, id: string, at: number): Promise<boolean>;
  /** Removes and returns it: of several callers only one gets it. */
  take(model: string, id: string): Promise<OAuthRecord | undefined>;
  remove(model: string, id: string): Promise<void>;
  /** At most 1,000, in no order. */
  list(model: string, filter?: RecordFilter): Promise<OAuthRecord[]>;
  count(model: string): Promise<number>;
  /**
   * Removes a grant with everything that belongs to it, and publishes it as revoked until `until` (milliseconds since 1970: when the last
   * access token made from it ends).
   */
  revokeGrant(grant: string, until: number): Promise<void>;
  /** Publishes the access token with this id as revoked until `until`, milliseconds since 1970: when it ends. */
  revokeToken(id: string, until: number): Promise<void>;
  /** Ids of the grants and access tokens that were revoked and may not have ended. */
  revoked(): Promise<ReadonlySet<string>>;
  /** A small document that all instances share, such as the keys. */
  readDocument(name: string): Promise<string | undefined>;
  /** Writes it if it is still `expected` (undefined: missing). @returns false when somebody else was faster */
  writeDocument(name: string, expected: string | undefined, value: string): Promise<boolean>;
  /** A number that grows with every revokeGrant, revokeToken and writeDocument: instances poll it. */
  changes(): Promise<number>;
  /** Removes what has expired; call it now and then. */
  sweep(): Promise<void>;
  close(): Promise<void>;
}

/** The most records that `list` returns. */
export const LIST_LIMIT = 1_000;

/** Removes all records of a model that match, however many there are. */
export async function removeAll(store: OAuthStore, model: string, filter: RecordFilter): Promise<void> {
  for (;;) {
    const records = await store.list(model, filter);
    if (records.length === 0) return;
    for (const { id } of records) await store.remove(model, id);
  }
}
