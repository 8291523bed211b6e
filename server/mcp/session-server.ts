import type { McpServer } from "@modelcontextprotocol/server";
import type { SessionTransport } from "./session-transport.ts";

/** Servers of sessions that are kept, about 45 KB each. */
const MAX_SERVERS = 500;

export interface SessionServerOptions {
  readonly transport: SessionTransport;
  readonly build: () => McpServer;
  /**
   * Builds the server that answers the client's `initialize`, and nothing else. Undefined: that of `build` does, and is kept. Only for a
   * session that is opened now, and whose server can be made again.
   */
  readonly buildOpening?: (() => McpServer) | undefined;
  /** Brings a server that was made again to the state of the session. Undefined while that is not possible. */
  readonly replay: () => (() => Promise<void>) | undefined;
}

/**
 * The SDK's server of a session, while it is needed. A server and the tools, prompts and resources that are registered with it take ten
 * times the memory of the rest of a session, and most requests are answered without it. So only the sessions that used theirs last have one.
 * For others it is made again, as for a session from the store.
 */
export class SessionServer {
  readonly #options: SessionServerOptions;
  readonly #all: SessionServers;
  #server: McpServer | undefined;
  #making: Promise<void> | undefined;
  #holds = 0;
  /** The server has answered `initialize`, and can nothing else. */
  #opening = false;
  #opened: boolean;

  constructor(options: SessionServerOptions, all: SessionServers) {
    this.#options = options;
    this.#all = all;
    this.#opened = options.buildOpening === undefined;
  }

  /** Whether there is one at the moment. */
  get exists(): boolean {
    return this.#server !== undefined;
  }

  /**
   * Makes the server if there is none.
   *
   * @returns a function to call when the request that needs it is over
   * @throws ReplayRefused when the SDK refuses the session's `initialize`
   */
  async hold(): Promise<() => void> {
    // The client has the answer to its `initialize` before it sends another request.
    if (this.#opening) this.#discard();
    this.#holds++;
    try {
      if (!this.#server) this.#making = this.#make();
      if (!this.#opening) this.#all.used(this);
      await this.#making;
    } catch (error) {
      this.#holds--;
      this.#making = undefined;
      this.#server = undefined;
      this.#all.forget(this);
      throw error;
    }
    let held = true;
    return () => {
      if (held) this.#holds--;
      held = false;
      if (this.#opening && this.#holds === 0) this.#discard();
    };
  }

  async #make(): Promise<void> {
    const { build, buildOpening, transport, replay } = this.#options;
    this.#opening = !this.#opened;
    this.#opened = true;
    this.#server = this.#opening && buildOpening ? buildOpening() : build();
    await this.#server.connect(transport);
    await replay()?.();
    this.#making = undefined;
  }

  /** Lets the server go. @returns false while it is in use, or could not be made again */
  release(): boolean {
    const { transport, replay } = this.#options;
    if (this.#holds > 0 || this.#making || transport.busy || !replay()) return false;
    this.#discard();
    return true;
  }

  #discard(): void {
    this.#options.transport.disconnect();
    this.#server = undefined;
    this.#opening = false;
  }

  /** Ends the session. */
  async close(): Promise<void> {
    this.#all.forget(this);
    await this.#options.transport.close();
  }
}

/** The servers of all sessions that have one. */
export class SessionServers {
  readonly #max: number;
  /** Least recently used first. */
  readonly #existing = new Set<SessionServer>();

  /** @param max default 500 */
  constructor(max = MAX_SERVERS) {
    this.#max = max;
  }

  used(server: SessionServer): void {
    this.#existing.delete(server);
    this.#existing.add(server);
    let excess = this.#existing.size - this.#max;
    for (const one of this.#existing) {
      if (excess <= 0) return;
      if (!one.release()) continue;
      this.#existing.delete(one);
      excess--;
    }
  }

  forget(server: SessionServer): void {
    this.#existing.delete(server);
  }
}
