import {
  type CreateMcpHandlerOptions,
  classifyInboundRequest,
  type McpServerFactory,
  SUPPORTED_PROTOCOL_VERSIONS,
} from "@modelcontextprotocol/server";
import type { Principal } from "../auth/principal.ts";
import type { MaybePromise } from "../maybe-promise.ts";
import type { Shares } from "../shares/shares.ts";
import type { ChangeBus } from "./change-bus.ts";
import type { ChangeWatcher } from "./change-watcher.ts";
import { DirectCalls } from "./direct-call.ts";
import type { McpRequest } from "./exchange.ts";
import { isKept, KeptResults } from "./kept-results.ts";
import { KnownEnvelopes, MODERN } from "./known-envelopes.ts";
import { LegacyEndpoint } from "./legacy-endpoint.ts";
import { isListen, ListenStreams } from "./listen-streams.ts";
import { ModernEndpoint } from "./modern-endpoint.ts";
import { plainRequest } from "./plain-request.ts";
import { visibleVersion } from "./resources.ts";
import { sdkErrors } from "./sdk-errors.ts";
import { buildMcpServer, principalOf } from "./server-factory.ts";
import { type ServerParts, visibleTools } from "./server-parts.ts";
import type { Sessions } from "./sessions.ts";

export interface EraDispatchOptions {
  readonly parts: ServerParts;
  readonly changes: ChangeBus;
  readonly sessions: Sessions;
  readonly watcher: ChangeWatcher;
  readonly shares: Shares;
  readonly keepAliveMs: number;
}

/** The keys of MCP in `_meta` with which a request may be plain. */
const NONE: ReadonlySet<string> = new Set();
const ENVELOPE: ReadonlySet<string> = new Set([
  "protocolVersion",
  "clientInfo",
  "clientCapabilities",
  "logLevel",
]);

/** Passes each request to the implementation of its protocol era: 2025 (with sessions) or 2026 (without). */
export class EraDispatch {
  readonly #direct: boolean;
  readonly #legacy: LegacyEndpoint;
  readonly #modern: ModernEndpoint;
  readonly #listens: ListenStreams;
  readonly #envelopes = new KnownEnvelopes();

  constructor({ parts, changes, sessions, watcher, shares, keepAliveMs }: EraDispatchOptions) {
    const build: McpServerFactory = ({ authInfo, requestInfo }) =>
      buildMcpServer(parts, {
        principal: principalOf(authInfo),
        era: "modern",
        method: requestInfo?.headers.get("mcp-method") ?? undefined,
        tool: calledTool(parts, principalOf(authInfo), requestInfo?.headers),
      });
    const handler: CreateMcpHandlerOptions = {
      legacy: "reject",
      bus: changes,
      keepAliveMs,
      onerror: sdkErrors(parts.log),
    };
    const follows = async (principal: Principal, uri: string) =>
      parts.profile?.watches?.(uri) || (await visibleVersion(parts, principal, uri)) !== "";
    const results = new KeptResults(parts);
    const calls = new DirectCalls(parts);
    this.#direct = parts.direct;
    this.#legacy = new LegacyEndpoint({ parts, sessions, watcher, keepAliveMs, results, calls });
    this.#modern = new ModernEndpoint({ build, handler, keepAliveMs, results, calls });
    this.#listens = new ListenStreams({ build, handler, changes, keepAliveMs, watcher, shares, follows });
  }

  /** Answers the request. @throws Refusal */
  handle(request: McpRequest): MaybePromise<void> {
    const { http, body } = request;
    if (this.#direct && http.method === "POST") {
      // Of a request that names an old revision or none, and has no envelope, the SDK says that it is of the 2025 era.
      const named = http.request.headers["mcp-protocol-version"];
      const modern = named === MODERN;
      const old = named === undefined || SUPPORTED_PROTOCOL_VERSIONS.includes(String(named));
      const plain = modern || old ? plainRequest(body, modern ? ENVELOPE : NONE) : undefined;
      if (plain && old) return this.#legacy.handle(request, isDirect(plain.method) ? plain : undefined);
      if (plain && modern && this.#envelopes.accepts(request, plain))
        return isListen(body) ? this.#listens.handle(request, plain) : this.#modern.handle(request, plain);
    }
    const { kind } = classifyInboundRequest({
      httpMethod: http.method,
      ...present("protocolVersionHeader", http.header("mcp-protocol-version")),
      ...present("mcpMethodHeader", http.header("mcp-method")),
      ...present("mcpNameHeader", http.header("mcp-name")),
      ...(body === undefined ? {} : { body }),
    });
    if (kind === "legacy") return this.#legacy.handle(request, undefined);
    if (isListen(body)) return this.#listens.handle(request, undefined);
    return this.#modern.handle(request, undefined);
  }

  close(): Promise<void> {
    return this.#modern.close();
  }
}

function isDirect(method: string): boolean {
  return method === "tools/call" || isKept(method, "legacy");
}

function present<K extends string, V>(key: K, value: V | undefined): { [P in K]?: V } {
  return value === undefined ? {} : ({ [key]: value } as { [P in K]?: V });
}

/**
 * The tool that the headers name (SEP-2243), if the caller may see it: to the SDK, another is a name that does not exist. It refuses a request
 * whose body names another.
 */
function calledTool(
  parts: ServerParts,
  principal: Principal,
  headers: Headers | undefined,
): string | undefined {
  if (headers?.get("mcp-method") !== "tools/call") return undefined;
  const name = headers.get("mcp-name");
  return visibleTools(parts, principal).find((tool) => tool.name === name)?.name;
}
