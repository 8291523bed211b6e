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

  const guard = (name: string, method: (...args: unknown[]) => unknown) => {
    // Async, so that what the store throws synchronously becomes a rejection too.
    const call = async (...args: unknown[]) => method.apply(store, args);
    return (...args: unknown[]) => {
      // The caller of `receive` can wait.
      if (silent && name !== "receive") return Promise.reject(new StoreUnavailable(silent.cause));
      const started = performance.now();
      return call(...args).catch((cause) => fail(cause, performance.now() - started));
    };
  };
  const unguarded: Partial<Store> = {
    poll: () => store.poll(),
    close: () => {
      closed = true;
      void checks?.stop();
      return store.close();
    },
  };
  return new Proxy(store, {
    get: (_, key: keyof Store & string) => {
      const value = store[key];
      return unguarded[key] ?? (typeof value === "function" ? guard(key, value as never) : value);
    },
  });
}

/** Whether Valkey or SQLite itself reported the error, however long that took. */
function isReply(cause: unknown): boolean {
  return cause instanceof Error && (cause.name === "ReplyError" || "errcode" in cause);
}
