import { setTimeout as sleep } from "node:timers/promises";
import { Refusal } from "../http/errors.ts";
import type { Passkey } from "./passkeys.ts";
import type { StoredPeople } from "./stored-people.ts";

/** How a person can sign in. */
export interface WaysIn {
  readonly passkeys: readonly Passkey[];
  /** A password with an authenticator app. */
  readonly password: boolean;
  /** Recovery codes that were not used. */
  readonly recoveryCodes: number;
}

/** One for each person whose ways in are being removed. Makes removals of one person, on all instances, happen one after another. */
const REMOVAL = "CredentialRemoval";
/** When a removal that never ended no longer counts, milliseconds. */
const REMOVAL_MS = 10_000;
const RETRY_MS = 50;

/** What a person has to sign in with, and how one of it is removed: never the last. Recovery codes do not count, they run out. */
export class Credentials {
  readonly #people: StoredPeople;

  constructor(people: StoredPeople) {
    this.#people = people;
  }

  async waysIn(person: string): Promise<WaysIn> {
    const { passkeys, passwords, recoveryCodes } = this.#people;
    const [keys, password, codes] = await Promise.all([
      passkeys.list(person),
      passwords.has(person),
      recoveryCodes.left(person),
    ]);
    return { passkeys: keys, password, recoveryCodes: codes };
  }

  /** @returns false when the person has no such passkey @throws Refusal 409 when it is the last way in */
  removePasskey(person: string, id: string): Promise<boolean> {
    return this.#remove(
      person,
      ({ passkeys }) => passkeys.some((one) => one.id === id),
      () => this.#people.passkeys.remove(person, id),
    );
  }

  /** Removes the password and the authenticator app. @returns false without one @throws Refusal 409 when it is the last way in */
  removePassword(person: string): Promise<boolean> {
    return this.#remove(
      person,
      ({ password }) => password,
      async () => {
        await this.#people.passwords.remove(person);
        await this.#people.totp.remove(person);
        return true;
      },
    );
  }

  async #remove(
    person: string,
    has: (ways: WaysIn) => boolean,
    remove: () => Promise<boolean>,
  ): Promise<boolean> {
    const { store } = this.#people.directory;
    const deadline = performance.now() + REMOVAL_MS;
    const lock = () => ({
      model: REMOVAL,
      id: person,
      payload: {},
      expiresAt: this.#people.now() + REMOVAL_MS,
    });
    while (!(await store.add(lock()))) {
      if (performance.now() > deadline)
        throw new Refusal(503, "The server is busy. Try again in a minute.", 60);
      await sleep(RETRY_MS);
    }
    try {
      const ways = await this.waysIn(person);
      if (!has(ways)) return false;
      if (ways.passkeys.length + Number(ways.password) < 2)
        throw new Refusal(409, "This is your last way to sign in. Add another one first.");
      return await remove();
    } finally {
      await store.remove(REMOVAL, person);
    }
  }
}
