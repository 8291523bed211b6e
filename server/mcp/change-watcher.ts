import type { ServerEvent } from "@modelcontextprotocol/server";
import type { FastifyBaseLogger } from "fastify";
import type { Principal } from "../auth/principal.ts";
import { EVERYTHING } from "../grants/grants.ts";
import type { MaybePromise } from "../maybe-promise.ts";
import { Periodic } from "../periodic.ts";
import type { ChangeBus } from "./change-bus.ts";
import { LIST_NAMES, type ListFingerprints, type ListName } from "./list-kinds.ts";
import type { Session } from "./session.ts";
import type { Sessions } from "./sessions.ts";

/** Interval at which lists and resources are checked, milliseconds. */
const CHECK_MS = 2_000;

export interface ChangeWatcherOptions {
  readonly sessions: Pick<Sessions, "change"> & { readonly live: Pick<Sessions["live"], "values"> };
  readonly changes: ChangeBus;
  /** Fingerprints of the lists that a client of this principal sees. */
  readonly lists: (principal: Principal) => Promise<ListFingerprints>;
  /** A text that differs when the resource does; "" for what this principal may not see. */
  readonly version: (principal: Principal, uri: string) => Promise<string>;
  /** The same for two principals who see the same. */
  readonly view: (principal: Principal) => string;
  readonly log: FastifyBaseLogger;
}

interface Sources {
  readonly lists: (principal: Principal) => MaybePromise<ListFingerprints>;
  readonly version: (principal: Principal, uri: string) => MaybePromise<string>;
}

/**
 * Notifies clients of changed lists and files. A session is notified of what differs from its last notification, which the store
 * remembers. So it also learns of changes while it had no stream, or with a new release.
 */
export class ChangeWatcher {
  readonly #options: ChangeWatcherOptions;
  /** The resources that streams of the 2026 era follow. */
  readonly #followed = new Map<string, { streams: number; version: string | undefined }>();
  #listeners = 0;
  #lists: ListFingerprints | undefined;
  readonly #checks: Periodic;

  constructor(options: ChangeWatcherOptions) {
    this.#options = options;
    const onError = (error: Error) => options.log.error({ reason: error.message }, "checking for changes");
    this.#checks = new Periodic({ everyMs: CHECK_MS, round: () => this.#check(), onError });
    options.changes.subscribeSessions((event) => {
      for (const session of options.sessions.live.values()) if (session.endStream) void send(session, event);
    });
  }

  start(): void {
    this.#checks.start();
  }

  stop(): void {
    void this.#checks.stop();
  }

  /** Checks now everything that a client follows. */
  check(): Promise<void> {
    return this.#checks.run();
  }

  /**
   * Follows the resources that a `subscriptions/listen` stream names, from their current versions. Must be awaited before the stream is
   * acknowledged.
   *
   * @returns stops following them
   */
  async listen(uris: readonly string[]): Promise<() => void> {
    const { lists, version } = this.#options;
    this.#listeners++;
    for (const uri of uris) {
      const entry = this.#followed.get(uri) ?? { streams: 0, version: undefined };
      entry.streams++;
      this.#followed.set(uri, entry);
    }
    const end = () => {
      this.#listeners--;
      if (this.#listeners === 0) this.#lists = undefined;
      for (const uri of uris) {
        const entry = this.#followed.get(uri);
        if (entry && --entry.streams === 0) this.#followed.delete(uri);
      }
    };
    try {
      const current = await lists(EVERYTHING);
      this.#lists ??= current;
      for (const uri of uris) {
        const entry = this.#followed.get(uri);
        if (entry && entry.version === undefined) entry.version = await version(EVERYTHING, uri);
      }
    } catch (error) {
      end();
      throw error;
    }
    return end;
  }

  /** Notifies one session of the changes since its last notification. */
  notify(session: Session): void {
    void this.#notifyInTurn(session, this.#options);
  }

  async #check(): Promise<void> {
    const sessions = this.#options.sessions.live.values();
    const { lists, version, view } = this.#options;
    // What many clients follow is read once.
    const sources = {
      lists: memo(lists, view),
      version: memo(version, (principal, uri) => `${view(principal)}\n${uri}`),
    };
    if (this.#listeners > 0) await this.#notifyListeners(sources);
    for (const session of sessions) {
      if (!session.endStream) continue;
      const current = sources.lists(session.principal);
      // Of thousands of sessions, most have nothing to be notified of. They need no promise.
      if (current instanceof Promise || !isCurrent(session, current))
        await this.#notifyInTurn(session, sources);
    }
  }

  /** One at a time for each session: two in parallel would send the same. A session that fails does not delay the others. */
  async #notifyInTurn(session: Session, sources: Sources): Promise<void> {
    const before = session.notifying ?? Promise.resolve();
    const notifying = before
      .then(() => this.#notify(session, sources))
      .catch((error: Error) =>
        this.#options.log.error({ reason: error.message, session: session.id }, "notifying of changes"),
      );
    // Not in a Map: V8 allocates its table again as keys come and go, in the part of the heap that only a full collection frees.
    session.notifying = notifying;
    await notifying;
    if (session.notifying === notifying) session.notifying = undefined;
  }

  async #notify(session: Session, { lists, version }: Sources): Promise<void> {
    const current = await lists(session.principal);
    const changed = LIST_NAMES.filter((name) => current[name] !== session.state.lists[name]);
    const resources: Record<string, string> = {};
    for (const uri of Object.keys(session.state.subscriptions)) {
      const now = await version(session.principal, uri);
      // The client may have changed its subscriptions meanwhile.
      const known = session.state.subscriptions[uri];
      if (known !== undefined && now !== known) resources[uri] = now;
    }
    if (changed.length + Object.keys(resources).length === 0) return;
    const fingerprints = Object.fromEntries(changed.map((name) => [name, current[name] ?? ""]));
    await this.#options.sessions.change(session, { notified: { lists: fingerprints, resources } });
    for (const name of changed) await send(session, { kind: `${name}_list_changed` });
    for (const uri of Object.keys(resources)) await send(session, { kind: "resource_updated", uri });
  }

  /** Streams of the 2026 era are notified of changes of any caller's lists. */
  async #notifyListeners({ lists, version }: Sources): Promise<void> {
    const { changes } = this.#options;
    const current = await lists(EVERYTHING);
    const before = this.#lists ?? current;
    this.#lists = current;
    for (const name of LIST_NAMES)
      if (current[name] !== before[name]) changes.publishToListeners({ kind: `${name}_list_changed` });
    for (const [uri, entry] of this.#followed) {
      const now = await version(EVERYTHING, uri);
      const changed = entry.version !== undefined && entry.version !== now;
      entry.version = now;
      if (changed) changes.publishToListeners({ kind: "resource_updated", uri });
    }
  }
}

/** Whether a session follows no resource, and was notified of these lists. */
function isCurrent({ state, notifying }: Session, lists: ListFingerprints): boolean {
  if (notifying) return false;
  for (const _ in state.subscriptions) return false;
  for (const name of LIST_NAMES) if (lists[name] !== state.lists[name]) return false;
  return true;
}

/** Sends an event to a 2025-era session, if it concerns it. */
async function send(session: Session, event: ServerEvent): Promise<void> {
  if (event.kind !== "resource_updated")
    await session.transport.notify(
      `notifications/${event.kind.replace("_list_changed", "") as ListName}/list_changed`,
    );
  else if (event.uri in session.state.subscriptions)
    await session.transport.notify("notifications/resources/updated", { uri: event.uri });
}

/** The same function, computed once for each key. It returns the value itself once that is known. */
function memo<A extends unknown[], R>(
  work: (...argument: A) => Promise<R>,
  key: (...argument: A) => string,
): (...argument: A) => MaybePromise<R> {
  const known = new Map<string, MaybePromise<R>>();
  return (...argument) => {
    const id = key(...argument);
    const before = known.get(id);
    if (before !== undefined) return before;
    const result = work(...argument).then((value) => {
      known.set(id, value);
      return value;
    });
    // Its callers handle a failure, but some of them only await it later.
    result.catch(() => undefined);
    known.set(id, result);
    return result;
  };
}
