import type { Store } from "./store.ts";
import { StoreUnavailable } from "./store-unavailable.ts";

/** Between two looks whether a store that failed works again, milliseconds. */
const LOOK_MS = 1_000;

/** A command that failed after so long had no answer, milliseconds. */
const SILENT_MS = 100;

export interface OutageListener {
  /** Called once when the store begins to fail. */
  onAway(reason: string): void;
  /** Called once when it works again. */
  onBack(): void;
}

type Failing = Exclude<keyof Store, "name" | "poll" | "close">;

/** As a record, so that the compiler misses a method that is not here. */
const FAILING: Readonly<Record<Failing, true>> = {
  create: true,
  read: true,
  changeFacts: true,
  claimStream: true,
  lastClaim: true,
  touch: true,
  remove: true,
  write: true,
  call: true,
  events: true,
  beat: true,
  instances: true,
  bury: true,
  post: true,
  receive: true,
  sweep: true,
  check: true,
};

/**
 * The same store, whose every failure is a StoreUnavailable, and which reports an outage once instead of once a command. An outage ends
 * when `check` passes: a store that is full still reads, so one command that succeeds proves nothing. While commands get no answer at all,
 * further ones fail at once: a request does not wait for what is known.
 */
export function withOutages(store: Store, listener: OutageListener): Store {
  let away = false;
  let timer: NodeJS.Timeout | undefined;
  let closed = false;
  /** Set while commands do not even get an answer: then nobody waits for another one to fail. */
  let silent: StoreUnavailable | undefined;

  const look = () => {
    store.check().then(
      () => {
        away = false;
        silent = undefined;
        if (!closed) listener.onBack();
      },
      () => schedule(),
    );
  };
  const schedule = () => {
    if (!closed) timer = setTimeout(look, LOOK_MS).unref();
  };
  const fail = (cause: unknown, tookMs: number): never => {
    const error = new StoreUnavailable(cause);
    if (tookMs >= SILENT_MS && !isAnswer(cause)) silent = error;
    if (!away && !closed) {
      away = true;
      listener.onAway(error.reason);
      schedule();
    }
    throw error;
  };

  const guarded = Object.fromEntries(
    (Object.keys(FAILING) as Failing[]).map((name) => {
      // Looked up at each call, and async: whatever the store throws at once is a rejection too.
      const call = async (...args: unknown[]) => (store[name] as (...args: unknown[]) => unknown)(...args);
      const guarded = (...args: unknown[]) => {
        // Listening is taken up by a caller who may wait.
        if (silent && name !== "receive") return Promise.reject(new StoreUnavailable(silent.cause));
        const started = performance.now();
        return call(...args).catch((cause) => fail(cause, performance.now() - started));
      };
      return [name, guarded];
    }),
  ) as unknown as Store;
  return {
    ...guarded,
    name: store.name,
    poll: () => store.poll(),
    close: () => {
      closed = true;
      clearTimeout(timer);
      return store.close();
    },
  };
}

/** Valkey or SQLite said what is wrong, however long that took. */
function isAnswer(cause: unknown): boolean {
  return cause instanceof Error && (cause.name === "ReplyError" || "errcode" in cause);
}
