import type { People, Person } from "./people.ts";

/** What is known of a person is used so long, milliseconds: a removed person's tokens stop within it. */
const FRESH_MS = 2_000;
const MAX = 10_000;

/** Spares a bearer check the question whether its person is still there. */
export class PersonCache {
  readonly #people: People;
  readonly #now: () => number;
  readonly #known = new Map<string, { at: number; person: Promise<Person | undefined> }>();

  constructor(people: People, now: () => number) {
    this.#people = people;
    this.#now = now;
  }

  find(id: string): Promise<Person | undefined> {
    const now = this.#now();
    const known = this.#known.get(id);
    if (known && now - known.at < FRESH_MS) return known.person;
    const person = this.#people.find(id);
    if (this.#known.size >= MAX) this.#known.clear();
    this.#known.set(id, { at: now, person });
    // A failure is asked again.
    person.catch(() => this.#known.delete(id));
    return person;
  }
}
