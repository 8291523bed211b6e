import { createHash, randomBytes } from "node:crypto";
import type { OAuthStore } from "../auth/oauth/store.ts";
import { CREDENTIALS } from "./people-store.ts";

/** How long a browser is known after its last sign-in, milliseconds. */
const KNOWN_BROWSER_MS = 180 * 86_400_000;

/**
 * Browsers in which a person signed in before. Their guesses are counted apart from those of their network, so that nobody beside the
 * person can delay them. Such a browser still has to sign in: being known proves nothing.
 */
export class KnownBrowsers {
  readonly #store: OAuthStore;
  readonly #now: () => number;

  constructor(store: OAuthStore, now: () => number) {
    this.#store = store;
    this.#now = now;
  }

  /** @returns the secret of the browser, for a cookie */
  async add(person: string): Promise<string> {
    const secret = randomBytes(32).toString("base64url");
    const expiresAt = this.#now() + KNOWN_BROWSER_MS;
    await this.#store.put({ model: CREDENTIALS.browser, id: idOf(secret), payload: {}, person, expiresAt });
    return secret;
  }

  /** @returns what the attempts of this browser are counted by; undefined when it is not known as this person's */
  async find(secret: string | undefined, person: string | undefined): Promise<string | undefined> {
    if (secret === undefined || person === undefined || secret.length > 64) return undefined;
    const record = await this.#store.get(CREDENTIALS.browser, idOf(secret));
    return record?.person === person ? `${SOURCE}${record.id}` : undefined;
  }
}

const SOURCE = "browser ";

/** Whether attempts from this source are those of a known browser. */
export const isKnownBrowser = (source: string) => source.startsWith(SOURCE);

const idOf = (secret: string) => createHash("sha256").update(secret).digest("base64url");
