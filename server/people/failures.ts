import { createHash } from "node:crypto";
import type { OAuthStore } from "../auth/oauth/store.ts";
import { Refusal } from "../http/errors.ts";

const STATE = "SignInFailures";
/** One for each attempt: makes the count exact, also when attempts run at the same moment on several machines. */
const ATTEMPT = "SignInAttempt";

/** Attempts without a delay. */
const FREE = 5;
const FIRST_DELAY_MS = 2_000;
const LONGEST_DELAY_MS = 3_600_000;
/** Time after the last failure of a series when the series is forgotten. */
const FORGOTTEN_MS = 24 * 3_600_000;

/**
 * Delays guesses, longer with each one. They are counted for one login from one source together: an attacker locks out the attacker's own
 * network, and a person elsewhere signs in. Logins that do not exist are counted alike.
 */
export class Failures {
  readonly #store: OAuthStore;
  readonly #now: () => number;

  constructor(store: OAuthStore, now: () => number = Date.now) {
    this.#store = store;
    this.#now = now;
  }

  /**
   * Counts an attempt as failed; `succeeded` takes it back.
   *
   * @param source a network, or a browser that this person signed in with before
   * @throws Refusal 429 while the login is delayed for this source
   */
  async begin(login: string, source: string): Promise<void> {
    const key = keyOf(login, source);
    const now = this.#now();
    const { count = 0, until = 0 } = ((await this.#store.get(STATE, key))?.payload ?? {}) as FailureState;
    if (until > now) throw tooMany(until - now);
    const expiresAt = now + FORGOTTEN_MS;
    let n = count + 1;
    while (!(await this.#store.add({ model: ATTEMPT, id: `${key} ${n}`, payload: {}, expiresAt }))) n++;
    const payload = { count: n, until: now + delay(n) };
    await this.#store.put({ model: STATE, id: key, payload, expiresAt });
    // Others ran at the same moment: together they get no more attempts than one after the other.
    if (n > count + 1 && n > FREE) throw tooMany(delay(n));
  }

  async succeeded(login: string, source: string): Promise<void> {
    const key = keyOf(login, source);
    const state = await this.#store.take(STATE, key);
    const { count = 0 } = (state?.payload ?? {}) as FailureState;
    for (let n = 1; n <= count; n++) await this.#store.remove(ATTEMPT, `${key} ${n}`);
  }
}

interface FailureState {
  count?: number;
  /** Milliseconds since 1970. */
  until?: number;
}

/** @param n which failure of the series @returns milliseconds until the next attempt counts */
export function delay(n: number): number {
  return n < FREE ? 0 : Math.min(FIRST_DELAY_MS * 2 ** (n - FREE), LONGEST_DELAY_MS);
}

function tooMany(ms: number): Refusal {
  const seconds = Math.ceil(ms / 1_000);
  const wait = seconds < 120 ? `${seconds} seconds` : `${Math.ceil(seconds / 60)} minutes`;
  return new Refusal(429, `Too many attempts for this login. Wait ${wait} and try again.`, seconds);
}

/** What was typed as a login may be anything, also a password. */
const keyOf = (login: string, source: string) =>
  createHash("sha256").update(`${login}\n${source}`).digest("base64url");
