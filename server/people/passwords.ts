import type { OAuthStore } from "../auth/oauth/store.ts";
import { hashPassword, verifyPassword } from "./password.ts";
import { CREDENTIALS } from "./people-store.ts";

/** The passwords of people, hashed. */
export class Passwords {
  readonly #store: OAuthStore;

  constructor(store: OAuthStore) {
    this.#store = store;
  }

  async set(person: string, password: string): Promise<void> {
    const payload = { hash: await hashPassword(password) };
    await this.#store.put({ model: CREDENTIALS.password, id: person, payload, person });
  }

  async has(person: string): Promise<boolean> {
    return (await this.#store.get(CREDENTIALS.password, person)) !== undefined;
  }

  async remove(person: string): Promise<void> {
    await this.#store.remove(CREDENTIALS.password, person);
  }

  /** @param person undefined: nobody; the answer takes as long @param options see verifyPassword */
  async check(person: string | undefined, password: string, options?: { first?: boolean }): Promise<boolean> {
    const record = person === undefined ? undefined : await this.#store.get(CREDENTIALS.password, person);
    return verifyPassword(record && String(record.payload.hash), password, options);
  }
}
