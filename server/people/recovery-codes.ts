import { createHash, randomInt } from "node:crypto";
import type { OAuthStore } from "../auth/oauth/store.ts";
import { CREDENTIALS } from "./people-store.ts";

const COUNT = 10;
const LENGTH = 16;
/** Crockford's base 32: nothing that looks like something else. 16 of them are 80 bits. */
const ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz";

/** For the day when the phone is lost. Each works once; the store holds their hashes only. */
export class RecoveryCodes {
  readonly #store: OAuthStore;

  constructor(store: OAuthStore) {
    this.#store = store;
  }

  /** The ones before are void. @returns for instance `7q2m-x8kd-0vtn-3hfa`, to be shown once */
  async renew(person: string): Promise<string[]> {
    for (const { id } of await this.#store.list(CREDENTIALS.recoveryCode, { person }))
      await this.#store.remove(CREDENTIALS.recoveryCode, id);
    const codes = Array.from({ length: COUNT }, newCode);
    for (const code of codes)
      await this.#store.put({
        model: CREDENTIALS.recoveryCode,
        id: idOf(person, code),
        payload: {},
        person,
      });
    return codes.map((code) => code.replace(/.{4}(?=.)/g, "$&-"));
  }

  async left(person: string): Promise<number> {
    return (await this.#store.list(CREDENTIALS.recoveryCode, { person })).length;
  }

  /** Whether it is a code of the person's. It is used up. */
  async use(person: string, code: string): Promise<boolean> {
    const plain = code.toLowerCase().replace(/[\s-]/g, "");
    if (plain.length !== LENGTH) return false;
    return (await this.#store.take(CREDENTIALS.recoveryCode, idOf(person, plain))) !== undefined;
  }
}

const newCode = () => Array.from({ length: LENGTH }, () => ALPHABET[randomInt(ALPHABET.length)]).join("");

/** 80 bits of randomness need no slow hash. */
const idOf = (person: string, code: string) =>
  createHash("sha256").update(`${person} ${code}`).digest("base64url");
