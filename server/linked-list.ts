/** A value in a LinkedList. */
export interface Link<T> {
  readonly value: T;
  /** Undefined once the value was removed. */
  previous: Link<T> | undefined;
  next: Link<T> | undefined;
}

/**
 * Values in the order in which they were added, each of which can be removed in constant time: what is in progress for a moment. In a Map or
 * Set, V8 would allocate the table again and again as keys come and go. Of a collection that lives long, this table is in the part of the heap
 * that only a full collection frees.
 */
export class LinkedList<T> implements Iterable<T> {
  readonly #end: Link<T>;

  constructor() {
    const end = { value: undefined as T, previous: undefined, next: undefined } as Link<T>;
    end.previous = end;
    end.next = end;
    this.#end = end;
  }

  get first(): T | undefined {
    return this.#end.next?.value;
  }

  /** @returns what `remove` needs */
  add(value: T): Link<T> {
    const end = this.#end;
    const last = end.previous as Link<T>;
    const link = { value, previous: last, next: end };
    last.next = link;
    end.previous = link;
    return link;
  }

  /** Removes the first value. */
  shift(): void {
    this.remove(this.#end.next as Link<T>);
  }

  /** Does nothing if the value was removed before. */
  remove(link: Link<T>): void {
    const { previous, next } = link;
    if (!previous || !next || link === this.#end) return;
    previous.next = next;
    next.previous = previous;
    link.previous = undefined;
    link.next = undefined;
  }

  /** The last value for which this is true. */
  findLast(matches: (value: T) => boolean): Link<T> | undefined {
    const end = this.#end;
    let link = end.previous;
    while (link !== end && link && !matches(link.value)) link = link.previous;
    return link === end ? undefined : link;
  }

  clear(): void {
    for (const link of this.#links()) this.remove(link);
  }

  /** The values. Each of them may be removed meanwhile. */
  *[Symbol.iterator](): Iterator<T> {
    for (const { value } of this.#links()) yield value;
  }

  #links(): Link<T>[] {
    const links: Link<T>[] = [];
    for (let link = this.#end.next; link && link !== this.#end; link = link.next) links.push(link);
    return links;
  }
}
