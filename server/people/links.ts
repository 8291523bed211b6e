import { createHash, randomBytes } from "node:crypto";
import type { OAuthStore } from "../auth/oauth/store.ts";
import { CREDENTIALS } from "./people-store.ts";
import { newTotpSecret } from "./totp.ts";

/**
 * `enrol`: choose how to sign in, where there is none yet. `sign-in`: signs a browser in; only for the account of the doctor.
 */
export type LinkPurpose = "enrol" | "sign-in";

/** How long a link works, milliseconds. */
const LIVES_MS: Readonly<Record<LinkPurpose, number>> = { enrol: 24 * 3_600_000, "sign-in": 60_000 };

/** The secret is in the query, which no log of this server or of the edge holds. */
const PATHS: Readonly<Record<LinkPurpose, string>> = { enrol: "/enrol", "sign-in": "/sign-in-link" };

export interface NewLink {
  /** Begins with a slash; holds the secret. */
  readonly path: string;
  /** Milliseconds since 1970. */
  readonly expiresAt: number;
}

export interface Link {
  /** Not a credential. */
  readonly id: string;
  readonly person: string;
  /** Base32, for the authenticator app that is enrolled with it; empty for `sign-in`. */
  readonly totpSecret: string;
}

/** Links that the operator gives to a person. Each works once; the store holds their hashes only. */
export class Links {
  readonly #store: OAuthStore;
  readonly #now: () => number;

  constructor(store: OAuthStore, now: () => number = Date.now) {
    this.#store = store;
    this.#now = now;
  }

  async make(person: string, purpose: LinkPurpose): Promise<NewLink> {
    const token = randomBytes(32).toString("base64url");
    const expiresAt = this.#now() + LIVES_MS[purpose];
    const id = hashOf(token, purpose);
    // The secret for the authenticator app has to outlive a reload of the page.
    const payload = purpose === "enrol" ? { totpSecret: newTotpSecret() } : {};
    await this.#store.put({ model: CREDENTIALS.link, id, payload, person, expiresAt });
    return { path: `${PATHS[purpose]}?link=${token}`, expiresAt };
  }

  /** @returns undefined for a link that was used, has expired, or never was */
  async check(token: string, purpose: LinkPurpose): Promise<Link | undefined> {
    const id = hashOf(token, purpose);
    const record = await this.#store.get(CREDENTIALS.link, id);
    if (record?.person === undefined) return undefined;
    return { id, person: record.person, totpSecret: String(record.payload.totpSecret ?? "") };
  }

  /** Uses it up. @returns the id of its person, to one of several callers */
  async use(token: string, purpose: LinkPurpose): Promise<string | undefined> {
    return (await this.#store.take(CREDENTIALS.link, hashOf(token, purpose)))?.person;
  }
}

/** 256 bits of randomness need no slow hash. */
const hashOf = (token: string, purpose: LinkPurpose) =>
  createHash("sha256").update(`${purpose} ${token}`).digest("base64url");
