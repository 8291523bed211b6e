/** What is usually there at once. A promise costs a request several turns of the microtask queue. */
export type MaybePromise<T> = T | Promise<T>;

/** Continues at once with a value that is there. */
export function then<T, R>(value: MaybePromise<T>, next: (value: T) => MaybePromise<R>): MaybePromise<R> {
  return value instanceof Promise ? value.then(next) : next(value);
}
