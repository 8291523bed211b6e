import { Periodic } from "../periodic.ts";
import type { Store } from "./store.ts";
import { StoreUnavailable } from "./store-unavailable.ts";

/** Interval at which a store that failed is checked, milliseconds. */
const CHECK_MS = 1_000;

/** A command that failed after this time got no answer, milliseconds. */
const SILENT_MS = 100;

export interface OutageListener {
  /** Called once when the store begins to fail. */
  onAway(reason: string): void;
  /** Called once when it works again. */
  onBack(): void;
}

type Failing = Exclude<keyof Store, "name" | "poll" | "close">;

/** A record, so that the compiler notices a method that is missing here. */
const FAILING: Readonly<Record<Failing, true>> = {
  create: true,
  read: true,
  changeState: true,
  states: true,
  claimStream: true,
  lastClaim: true,
  touch: true,
  remove: true,
  write: true,
  call: true,
  events: true,
  beat: true,
  instances: true,
  reap: true,
  send: true,
  receive: true,
  sweep: true,
  check: true,
};

/**
 * Wraps a store: every failure becomes a StoreUnavailable, and an outage is reported once instead of once per command. An outage ends when
 * `check` passes; one command that succeeds proves nothing, since a full store can still be read. While commands get no answer at all,
 * further ones fail at once, so that no request waits for a failure that is already known.
 */
export function withOutages(store: Store, listener: OutageListener): Store {
  let checks: Periodic | undefined;
  let closed = false;
  /** Set while commands get no answer. */
  let silent: StoreUnavailable | undefined;

  const onBack = () => {
    void checks?.stop();
    checks = undefined;
    silent = undefined;
    if (!closed) listener.onBack();
  };
  const fail = (cause: unknown, tookMs: number): never => {
    const error = new StoreUnavailable(cause);
    if (tookMs >= SILENT_MS && !isReply(cause)) silent = error;
    if (!checks && !closed) {
      listener.onAway(error.reason);
      const round = () => store.check().then(onBack);
      checks = new Periodic({ everyMs: CHECK_MS, round, onError: () => undefined }).start();
    }
    throw error;
  };

  const guarded = Object.fromEntries(
    (Object.keys(FAILING) as Failing[]).map((name) => {
      // Async, so that what the store throws synchronously becomes a rejection too.
      const call = async (...args: unknown[]) => (store[name] as (...args: unknown[]) => unknown)(...args);
      const guarded = (...args: unknown[]) => {
        // The caller of `receive` can wait.
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
      void checks?.stop();
      return store.close();
    },
  };
}

/** Whether Valkey or SQLite itself reported the error, however long that took. */
function isReply(cause: unknown): boolean {
  return cause instanceof Error && (cause.name === "ReplyError" || "errcode" in cause);
}
