import { createHash, randomBytes } from "node:crypto";
import type { OAuthStore } from "../oauth/store.ts";
import type { ProviderKind } from "./settings.ts";

const MODEL = "ProviderSignIn";
/** How long a person may take at the provider, milliseconds. The interaction itself may end before. */
const LIFE_MS = 600_000;

/**
 * Which browser it belongs to, so that the answer counts there only. `uid`: the interaction of a client's sign-in, whose cookie only one
 * browser has. `browser`: the hash of a cookie, for people who come by themselves and go to the page `to`.
 */
export type Visit = { readonly uid: string } | { readonly browser: string; readonly to: string };

/** A sign-in on its way to a provider and back. */
export interface Attempt {
  readonly provider: ProviderKind;
  readonly visit: Visit;
  readonly nonce: string;
  readonly verifier: string;
}

/** Each answer of a provider is used once: `state` names the attempt, and the attempt is gone after its first use. */
export class Attempts {
  readonly #store: OAuthStore;
  readonly #now: () => number;

  constructor(store: OAuthStore, now: () => number) {
    this.#store = store;
    this.#now = now;
  }

  async begin(provider: ProviderKind, visit: Visit): Promise<Attempt & { readonly state: string }> {
    const [state, nonce, verifier] = [random(), random(), random()];
    const payload = { provider, visit, nonce, verifier };
    await this.#store.put({ model: MODEL, id: idOf(state), payload, expiresAt: this.#now() + LIFE_MS });
    return { ...payload, state };
  }

  /** Leaves it in place. @returns undefined when there is none, or it is another provider's */
  async find(provider: ProviderKind, state: string): Promise<Attempt | undefined> {
    const attempt = (await this.#store.get(MODEL, idOf(state)))?.payload as Attempt | undefined;
    return attempt?.provider === provider ? attempt : undefined;
  }

  /** Uses it up. Only one of several callers gets it. */
  async use(state: string): Promise<Attempt | undefined> {
    return (await this.#store.take(MODEL, idOf(state)))?.payload as Attempt | undefined;
  }
}

/** 256 bits; the form that PKCE wants of a verifier (RFC 7636, section 4.1). */
const random = () => randomBytes(32).toString("base64url");

const idOf = (state: string) => createHash("sha256").update(state).digest("base64url");
