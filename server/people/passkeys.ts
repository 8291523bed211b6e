import { randomBytes } from "node:crypto";
import {
  generateAuthenticationOptions,
  generateRegistrationOptions,
  verifyAuthenticationResponse,
  verifyRegistrationResponse,
} from "@simplewebauthn/server";
import * as z from "zod";
import { eventText } from "../auth/events.ts";
import type { OAuthStore } from "../auth/oauth/store.ts";
import { CREDENTIALS, type StoredPerson } from "./people-store.ts";

const CHALLENGE = "PasskeyChallenge";
/** From the page to the answer, milliseconds. */
const CHALLENGE_MS = 10 * 60_000;
/** Characters of an authenticator's answer. One without attestation has some 1,000. */
const ANSWER_MAX = 16_384;
/** Passkeys of one person. */
const MAX = 20;

const base64url = z
  .string()
  .max(ANSWER_MAX)
  .regex(/^[\w-]+$/);
const AnswerSchema = z.looseObject({
  id: base64url,
  rawId: base64url,
  type: z.literal("public-key"),
  response: z.looseObject({ clientDataJSON: base64url }),
});

/** Characters of a passkey's name. */
export const PASSKEY_NAME_MAX = 60;

export interface Passkey {
  readonly id: string;
  readonly person: string;
  /** As its person calls it. */
  readonly name: string;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
  /** Milliseconds since 1970; undefined: never. */
  readonly lastUsedAt: number | undefined;
}

/**
 * What changes of a passkey, in a record of its own: a sign-in that writes it cannot bring back a passkey that is removed at the same
 * moment.
 */
interface PasskeyState {
  readonly name?: string;
  readonly counter?: number;
  readonly lastUsedAt?: number;
}

/**
 * Passkeys (Web Authentication, level 3): discoverable, and with user verification, so that a passkey alone is two factors. Answers come as
 * JSON in a form, as `PublicKeyCredential.toJSON()` writes them.
 */
export class Passkeys {
  readonly #store: OAuthStore;
  readonly #origin: string;
  readonly #now: () => number;

  /** @param origin of the server; its host name is the relying party */
  constructor(store: OAuthStore, origin: string, now: () => number = Date.now) {
    this.#store = store;
    this.#origin = origin;
    this.#now = now;
  }

  /** @param page what the challenge belongs to: an id that only this browser knows @returns options for the browser, JSON */
  async registrationOptions(page: string, person: StoredPerson): Promise<string> {
    const options = await generateRegistrationOptions({
      rpName: `mcp-edge ${this.#host}`,
      rpID: this.#host,
      userName: person.login,
      userDisplayName: person.name,
      userID: new TextEncoder().encode(person.id),
      challenge: await this.#newChallenge(page),
      timeout: CHALLENGE_MS,
      attestationType: "none",
      authenticatorSelection: { residentKey: "required", userVerification: "required" },
      excludeCredentials: (await this.list(person.id)).map(({ id }) => ({ id })),
    });
    return JSON.stringify(options);
  }

  /**
   * @param name as its person calls it; without one it is called after its date
   * @returns keeps the passkey that was checked; undefined when the answer is not right
   */
  async checkRegistration(
    page: string,
    person: string,
    answer: string,
    name = "",
  ): Promise<(() => Promise<boolean>) | undefined> {
    const response = parse(answer);
    const expectedChallenge = await this.#takeChallenge(page);
    if (!response || expectedChallenge === undefined) return undefined;
    if ((await this.list(person)).length >= MAX) return undefined;
    const verified = await verifyRegistrationResponse({
      response: response as never,
      expectedChallenge,
      expectedOrigin: this.#origin,
      expectedRPID: this.#host,
      requireUserVerification: true,
    }).catch(() => undefined);
    if (!verified?.verified) return undefined;
    const { id, publicKey, counter } = verified.registrationInfo.credential;
    const payload = {
      publicKey: Buffer.from(publicKey).toString("base64url"),
      counter,
      createdAt: this.#now(),
    };
    return async () => {
      // Never replaces another's passkey of the same id.
      if (!(await this.#store.add({ model: CREDENTIALS.passkey, id, payload, person }))) return false;
      await this.#changeState({ id, person }, { name: passkeyName(name) });
      return true;
    };
  }

  /** @param page as above @returns options for the browser, JSON. They name no passkey, so they tell nothing about who exists */
  async authenticationOptions(page: string): Promise<string> {
    const options = await generateAuthenticationOptions({
      rpID: this.#host,
      challenge: await this.#newChallenge(page),
      timeout: CHALLENGE_MS,
      userVerification: "required",
    });
    return JSON.stringify(options);
  }

  /** @returns the id of the person whose passkey signed this page's challenge, which is used up */
  async authenticate(page: string, answer: string): Promise<string | undefined> {
    const response = parse(answer);
    const expectedChallenge = await this.#takeChallenge(page);
    if (!response || expectedChallenge === undefined) return undefined;
    const record = await this.#store.get(CREDENTIALS.passkey, response.id);
    if (record?.person === undefined) return undefined;
    const { publicKey = "", counter: first = 0 } = record.payload as { publicKey?: string; counter?: number };
    const { counter = first } = await this.#state(record.id);
    const verified = await verifyAuthenticationResponse({
      response: response as never,
      expectedChallenge,
      expectedOrigin: this.#origin,
      expectedRPID: this.#host,
      requireUserVerification: true,
      credential: { id: record.id, publicKey: new Uint8Array(Buffer.from(publicKey, "base64url")), counter },
    }).catch(() => undefined);
    if (!verified?.verified) return undefined;
    const { newCounter } = verified.authenticationInfo;
    const { id, person } = record;
    await this.#changeState({ id, person }, { counter: newCounter, lastUsedAt: this.#now() });
    return person;
  }

  /** The newest first. */
  async list(person: string): Promise<Passkey[]> {
    const [records, states] = await Promise.all([
      this.#store.list(CREDENTIALS.passkey, { person }),
      this.#store.list(CREDENTIALS.passkeyState, { person }),
    ]);
    const stateOf = new Map(states.map(({ id, payload }) => [id, payload as PasskeyState]));
    const passkeys = records.map(({ id, payload }): Passkey => {
      const { name = "", lastUsedAt } = stateOf.get(id) ?? {};
      const createdAt = Number(payload.createdAt);
      const date = new Date(createdAt).toISOString().slice(0, 10);
      return { id, person, name: name || `Passkey of ${date}`, createdAt, lastUsedAt };
    });
    return passkeys.sort((one, other) => other.createdAt - one.createdAt);
  }

  /** @returns false when this person has no such passkey */
  async rename(person: string, id: string, name: string): Promise<boolean> {
    if ((await this.#store.get(CREDENTIALS.passkey, id))?.person !== person) return false;
    await this.#changeState({ id, person }, { name: passkeyName(name) });
    return true;
  }

  /** @returns false when this person has no such passkey */
  async remove(person: string, id: string): Promise<boolean> {
    if ((await this.#store.get(CREDENTIALS.passkey, id))?.person !== person) return false;
    await this.#store.remove(CREDENTIALS.passkey, id);
    await this.#store.remove(CREDENTIALS.passkeyState, id);
    return true;
  }

  async #state(id: string): Promise<PasskeyState> {
    return (await this.#store.get(CREDENTIALS.passkeyState, id))?.payload ?? {};
  }

  async #changeState({ id, person }: Pick<Passkey, "id" | "person">, change: PasskeyState): Promise<void> {
    const payload = { ...(await this.#state(id)), ...change };
    await this.#store.put({ model: CREDENTIALS.passkeyState, id, payload, person });
  }

  get #host(): string {
    return new URL(this.#origin).hostname;
  }

  async #newChallenge(page: string): Promise<Uint8Array<ArrayBuffer>> {
    const bytes = new Uint8Array(randomBytes(32));
    const payload = { challenge: Buffer.from(bytes).toString("base64url") };
    const expiresAt = this.#now() + CHALLENGE_MS;
    await this.#store.put({ model: CHALLENGE, id: page, payload, expiresAt });
    return bytes;
  }

  async #takeChallenge(page: string): Promise<string | undefined> {
    const record = await this.#store.take(CHALLENGE, page);
    return record && String(record.payload.challenge);
  }
}

const passkeyName = (name: string) => eventText(name).trim().slice(0, PASSKEY_NAME_MAX);

function parse(answer: string): z.output<typeof AnswerSchema> | undefined {
  if (answer.length > ANSWER_MAX) return undefined;
  try {
    return AnswerSchema.parse(JSON.parse(answer));
  } catch {
    return undefined;
  }
}
