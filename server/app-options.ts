import type { DocumentFetch } from "./auth/oauth/client-documents.ts";
import type { People } from "./auth/people.ts";
import type { ServerConfig } from "./config/config.ts";
import type { LogStream } from "./http/log-stream.ts";
import type { StreamLimits } from "./http/streams.ts";
import type { LiveSessionsOptions } from "./mcp/live-sessions.ts";
import type { Profile } from "./mcp/server-parts.ts";
import type { Store } from "./store/store.ts";
import type { Tool } from "./tools/tool.ts";
import type { Tracing } from "./tracing/tracing.ts";

/** What the server is made of; everything but the configuration has a default. */
export interface AppOptions {
  readonly config: ServerConfig;
  /** Interval of the comments that keep an idle event stream open, milliseconds. Default 15,000. */
  readonly keepAliveMs?: number;
  /** Time limit of a query of the index, milliseconds. Default 9,500. */
  readonly callMs?: number | undefined;
  /** Where sessions are stored; closed with the app. Default: what the configuration names. */
  readonly store?: Store;
  /** How many sessions stay in memory, and for how long. */
  readonly live?: LiveSessionsOptions;
  /** What may wait for clients that do not read, and when an answer becomes a stream. */
  readonly streams?: Partial<StreamLimits>;
  /** What a test adds to every MCP server. */
  readonly profile?: Profile;
  readonly tools?: readonly Tool[];
  /** Who may sign in. Default: those in the store of the authorization server. */
  readonly people?: People;
  /** How metadata documents of OAuth clients are fetched. Default: from the public internet only. */
  readonly fetchClientDocument?: DocumentFetch;
  readonly logStream?: LogStream;
  /** Default: no spans. */
  readonly tracing?: Tracing | undefined;
}
