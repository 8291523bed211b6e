import type { Store } from "../store/store.ts";
import type { Cluster } from "./cluster.ts";
import type { Journal } from "./journal.ts";
import type { LiveSessions } from "./live-sessions.ts";

/** What the parts of `Sessions` share. */
export interface SessionParts {
  readonly store: Store;
  readonly cluster: Cluster;
  readonly journal: Journal;
  readonly live: LiveSessions;
  readonly onError: (error: Error) => void;
}
