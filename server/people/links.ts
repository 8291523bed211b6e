import { createHash, randomBytes } from "node:crypto";
import type { OAuthStore } from "../auth/oauth/store.ts";
import { CREDENTIALS } from "./people-store.ts";

/**
 * `enrol`: choose how to sign in, where there is none yet. `sign-in`: signs a browser in; only for the account of the doctor.
 */
export type LinkPurpose = "enrol" | "sign-in";

/** How long a link works, milliseconds. */
const LIVES_MS: Readonly<Record<LinkPurpose, number>> = { enrol: 24 * 3_600_000, "sign-in": 60_000 };

const PATHS: Readonly<Record<LinkPurpose, string>> = { enrol: "/enrol/", "sign-in": "/sign-in-link/" };

export interface NewLink {
  /** Begins with a slash; holds the secret. */
  readonly path: string;
  /** Milliseconds since 1970. */
  readonly expiresAt: number;
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
    await this.#store.put({ model: CREDENTIALS.link, id, payload: {}, person, expiresAt });
    return { path: `${PATHS[purpose]}${token}`, expiresAt };
  }

  /** @returns the id of its person; undefined for a link that was used, has expired, or never was */
  async check(token: string, purpose: LinkPurpose): Promise<string | undefined> {
    return (await this.#store.get(CREDENTIALS.link, hashOf(token, purpose)))?.person;
  }

  /** Uses it up: of several callers only one gets the person. */
  async use(token: string, purpose: LinkPurpose): Promise<string | undefined> {
    return (await this.#store.take(CREDENTIALS.link, hashOf(token, purpose)))?.person;
  }
}

/** 256 bits of randomness need no slow hash. */
const hashOf = (token: string, purpose: LinkPurpose) =>
  createHash("sha256").update(`${purpose} ${token}`).digest("base64url");
