import type { SessionFacts } from "./store.ts";

/**
 * What became different about a session. Only the difference is written, so that changes made at the same time, at one instance or at two,
 * do not undo each other.
 */
export interface FactsChange {
  readonly initialized?: true;
  readonly logLevel?: string;
  /** Subscribed resources, each with the version that the client knows. */
  readonly subscribe?: Readonly<Record<string, string>>;
  readonly unsubscribe?: readonly string[];
  /** What the client was told of: list stamps, and versions of resources. A resource that is no longer subscribed to stays so. */
  readonly told?: {
    readonly lists?: Readonly<Record<string, string>>;
    readonly resources?: Readonly<Record<string, string>>;
  };
}

/** The facts after a change. Stores that cannot call it must do the same (see valkey-scripts.ts). */
export function changedFacts(facts: SessionFacts, change: FactsChange): SessionFacts {
  const subscriptions = { ...facts.subscriptions, ...change.subscribe };
  for (const uri of change.unsubscribe ?? []) delete subscriptions[uri];
  for (const [uri, version] of Object.entries(change.told?.resources ?? {}))
    if (uri in subscriptions) subscriptions[uri] = version;
  return {
    initialized: facts.initialized || change.initialized === true,
    ...(facts.logLevel === undefined ? {} : { logLevel: facts.logLevel }),
    ...(change.logLevel === undefined ? {} : { logLevel: change.logLevel }),
    subscriptions,
    lists: { ...facts.lists, ...change.told?.lists },
  };
}
