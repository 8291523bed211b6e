import type { LazyAbort } from "../lazy-abort.ts";
import type { ToolContext } from "../tools/tool.ts";
import { wantsLog } from "./log-levels.ts";
import type { PlainRequest } from "./plain-request.ts";
import { progressOf } from "./progress.ts";

/** What the caller of a direct call gets of it, besides the result. */
export interface DirectListener {
  /** Aborted when no response is wanted any more. */
  readonly abort: LazyAbort;
  /** Receives a notification as JSON text. */
  notify(text: string): void;
  /** The least severe log messages that the client wants; undefined: none. */
  readonly logLevel: string | undefined;
}

type SharedContext = Omit<ToolContext, "signal" | "progress" | "log">;

/** What a tool may use in a direct call. What few tools use is made when they ask for it. */
export class DirectContext implements ToolContext {
  readonly workspace;
  readonly ripgrep;
  readonly index;
  readonly semantic;
  readonly sync;
  readonly heartbeatMs;
  readonly #tool: string;
  readonly #listener: DirectListener;

  constructor(
    tool: string,
    { workspace, ripgrep, index, semantic, sync, heartbeatMs }: SharedContext,
    listener: DirectListener,
  ) {
    this.workspace = workspace;
    this.ripgrep = ripgrep;
    this.index = index;
    this.semantic = semantic;
    this.sync = sync;
    this.heartbeatMs = heartbeatMs;
    this.#tool = tool;
    this.#listener = listener;
  }

  get signal(): AbortSignal {
    return this.#listener.abort.signal;
  }

  get log(): NonNullable<ToolContext["log"]> {
    return (level, data) => {
      if (!wantsLog(this.#listener.logLevel, level)) return;
      void this.#notify({ method: "notifications/message", params: { level, data, logger: this.#tool } });
    };
  }

  /** The same, with progress for a caller that asked for it, as an object that may be copied. */
  reporting(request: PlainRequest): ToolContext {
    const { workspace, ripgrep, index, semantic, sync, heartbeatMs, signal, log } = this;
    const notify = (notification: { method: string; params: object }) => this.#notify(notification);
    const progress = progressOf({ _meta: request.meta, signal, notify });
    return { workspace, ripgrep, index, semantic, sync, heartbeatMs, signal, log, progress };
  }

  async #notify(notification: { method: string; params: object }): Promise<void> {
    this.#listener.notify(JSON.stringify({ jsonrpc: "2.0", ...notification }));
  }
}
