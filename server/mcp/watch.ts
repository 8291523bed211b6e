import type { FastifyBaseLogger } from "fastify";
import type { Principal } from "../auth/principal.ts";
import type { Changes } from "./changes.ts";
import type { Session } from "./live-sessions.ts";
import type { Sessions } from "./sessions.ts";

/** Between two looks at what clients wait for, milliseconds. */
const LOOK_MS = 2_000;

export type Lists = Readonly<Record<string, string>>;

export interface WatchOptions {
  readonly sessions: Sessions;
  readonly changes: Changes;
  /** Stamps of the lists that a client of this principal sees. */
  readonly lists: (principal: Principal) => Promise<Lists>;
  /** Something that is different when the resource is. */
  readonly version: (uri: string) => Promise<string>;
  readonly log: FastifyBaseLogger;
  /** Whose lists the streams of the 2026 era are told about. */
  readonly everybody: Principal;
}

const SEND = {
  tools: (session: Session) => session.server.server.sendToolListChanged(),
  prompts: (session: Session) => session.server.server.sendPromptListChanged(),
  resources: (session: Session) => session.server.server.sendResourceListChanged(),
} as const;

const KINDS = Object.keys(SEND) as (keyof typeof SEND)[];

/**
 * Tells clients of lists and files that changed. A session is told what differs from what it was told last, which the store remembers:
 * so it also hears of what changed while it had no stream, or with a new release.
 */
export class Watch {
  readonly #options: WatchOptions;
  readonly #listening = new Map<string, { streams: number; version: string | undefined }>();
  #listeners = 0;
  #lists: Lists | undefined;
  #timer: NodeJS.Timeout | undefined;
  #looking = false;
  readonly #telling = new Map<Session, Promise<void>>();

  constructor(options: WatchOptions) {
    this.#options = options;
    options.changes.onSessionEvent((event) => {
      for (const session of options.sessions.live.values()) {
        if (!session.endStanding) continue;
        if (event.kind === "resource_updated") {
          if (event.uri in session.facts.subscriptions)
            void session.server.server.sendResourceUpdated({ uri: event.uri });
        } else void SEND[event.kind.replace("_list_changed", "") as keyof typeof SEND](session);
      }
    });
  }

  start(): void {
    this.#timer = setInterval(() => void this.look(), LOOK_MS).unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /**
   * Follows the resources that a `subscriptions/listen` stream names, from how they are now: wait for it before the stream is acknowledged.
   *
   * @returns ends that
   */
  async listen(uris: readonly string[]): Promise<() => void> {
    const { lists, version, everybody } = this.#options;
    this.#listeners++;
    for (const uri of uris) {
      const entry = this.#listening.get(uri) ?? { streams: 0, version: undefined };
      entry.streams++;
      this.#listening.set(uri, entry);
    }
    const end = () => {
      this.#listeners--;
      if (this.#listeners === 0) this.#lists = undefined;
      for (const uri of uris) {
        const entry = this.#listening.get(uri);
        if (entry && --entry.streams === 0) this.#listening.delete(uri);
      }
    };
    try {
      const known = await lists(everybody);
      this.#lists ??= known;
      for (const uri of uris) {
        const entry = this.#listening.get(uri);
        if (entry && entry.version === undefined) entry.version = await version(uri);
      }
    } catch (error) {
      end();
      throw error;
    }
    return end;
  }

  /** Tells one session what it does not know yet. */
  announce(session: Session): void {
    void this.#tellInTurn(session, this.#options.lists, this.#options.version);
  }

  /** Looks at everything that somebody waits for, once. */
  async look(): Promise<void> {
    const { sessions, log } = this.#options;
    const standing = sessions.live.values().filter((s) => s.endStanding);
    if (this.#looking || (standing.length === 0 && this.#listeners === 0)) return;
    this.#looking = true;
    // What many wait for is looked at once.
    const lists = memo(this.#options.lists, (principal) => principal.scopes.join());
    const version = memo(this.#options.version, (uri) => uri);
    try {
      if (this.#listeners > 0) await this.#tellListeners(lists, version);
      for (const session of standing) await this.#tellInTurn(session, lists, version);
    } catch (error) {
      log.error({ reason: (error as Error).message }, "looking for changes");
    } finally {
      this.#looking = false;
    }
  }

  /** One at a time for each session: two side by side would tell it the same. A session that fails keeps no other from its news. */
  async #tellInTurn(
    session: Session,
    lists: WatchOptions["lists"],
    version: WatchOptions["version"],
  ): Promise<void> {
    const before = this.#telling.get(session) ?? Promise.resolve();
    const telling = before
      .then(() => this.#tell(session, lists, version))
      .catch((error: Error) =>
        this.#options.log.error({ reason: error.message, session: session.id }, "telling changes"),
      );
    this.#telling.set(session, telling);
    await telling;
    if (this.#telling.get(session) === telling) this.#telling.delete(session);
  }

  async #tell(
    session: Session,
    lists: WatchOptions["lists"],
    version: WatchOptions["version"],
  ): Promise<void> {
    const current = await lists(session.principal);
    const kinds = KINDS.filter((kind) => current[kind] !== session.facts.lists[kind]);
    const resources: Record<string, string> = {};
    for (const uri of Object.keys(session.facts.subscriptions)) {
      const now = await version(uri);
      // As the subscriptions are now: a client may have changed them meanwhile.
      const known = session.facts.subscriptions[uri];
      if (known !== undefined && now !== known) resources[uri] = now;
    }
    if (kinds.length + Object.keys(resources).length === 0) return;
    const stamps = Object.fromEntries(kinds.map((kind) => [kind, current[kind] ?? ""]));
    await this.#options.sessions.change(session, { told: { lists: stamps, resources } });
    for (const kind of kinds) await SEND[kind](session);
    for (const uri of Object.keys(resources))
      if (uri in session.facts.subscriptions) await session.server.server.sendResourceUpdated({ uri });
  }

  async #tellListeners(lists: WatchOptions["lists"], version: WatchOptions["version"]): Promise<void> {
    const { changes, everybody } = this.#options;
    const current = await lists(everybody);
    const before = this.#lists ?? current;
    this.#lists = current;
    for (const kind of KINDS)
      if (current[kind] !== before[kind]) changes.toListeners({ kind: `${kind}_list_changed` });
    for (const [uri, entry] of this.#listening) {
      const now = await version(uri);
      const changed = entry.version !== undefined && entry.version !== now;
      entry.version = now;
      if (changed) changes.toListeners({ kind: "resource_updated", uri });
    }
  }
}

function memo<A, R>(
  work: (argument: A) => Promise<R>,
  key: (argument: A) => string,
): (argument: A) => Promise<R> {
  const known = new Map<string, Promise<R>>();
  return (argument) => {
    const id = key(argument);
    const result = known.get(id) ?? work(argument);
    known.set(id, result);
    return result;
  };
}
