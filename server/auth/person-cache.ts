import { Refusal } from "../http/errors.ts";
import type { MaybePromise } from "../maybe-promise.ts";
import type { People, Person } from "./people.ts";

/** A person is used this long before the store is asked again, milliseconds: a removed person's tokens stop within it. */
const FRESH_MS = 2_000;
/** While the store does not answer, a person is used this long, milliseconds: calls go on during a restart of the store. */
const STALE_MS = 300_000;
const MAX = 10_000;

interface Known {
  /** When the store was asked. */
  readonly askedAt: number;
  /** When it last answered. */
  answeredAt: number;
  /** A promise until the store has answered. */
  person: MaybePromise<Person | undefined>;
}

/** Spares a bearer check the question whether its person still exists. */
export class PersonCache {
  readonly #people: People;
  readonly #now: () => number;
  readonly #known = new Map<string, Known>();

  constructor(people: People, now: () => number) {
    this.#people = people;
    this.#now = now;
  }

  /** @throws Refusal 503 when the store does not answer and did not lately */
  find(id: string): MaybePromise<Person | undefined> {
    const now = this.#now();
    const before = this.#known.get(id);
    if (before && now - before.askedAt < FRESH_MS) return before.person;
    const known: Known = { askedAt: now, answeredAt: now, person: undefined };
    known.person = this.#ask(id, known, before);
    if (this.#known.size >= MAX) this.#known.clear();
    this.#known.set(id, known);
    return known.person;
  }

  async #ask(id: string, known: Known, before: Known | undefined): Promise<Person | undefined> {
    try {
      known.person = await this.#people.find(id);
    } catch {
      if (!before || known.askedAt - before.answeredAt >= STALE_MS) {
        // The next request asks again.
        this.#known.delete(id);
        throw new Refusal(503, "People cannot be looked up at the moment. Try again.", 5);
      }
      known.answeredAt = before.answeredAt;
      known.person = await before.person;
    }
    return known.person;
  }
}
