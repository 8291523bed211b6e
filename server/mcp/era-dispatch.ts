import {
  type CreateMcpHandlerOptions,
  classifyInboundRequest,
  createMcpHandler,
  type McpServerFactory,
} from "@modelcontextprotocol/server";
import type { Principal } from "../auth/principal.ts";
import type { Shares } from "../shares/shares.ts";
import type { ChangeBus } from "./change-bus.ts";
import type { ChangeWatcher } from "./change-watcher.ts";
import type { McpRequest, McpResponse } from "./exchange.ts";
import { LegacyEndpoint } from "./legacy-endpoint.ts";
import { isListen, ListenStreams } from "./listen-streams.ts";
import { visibleVersion } from "./resources.ts";
import { sdkErrors } from "./sdk-errors.ts";
import { authInfoOf, buildMcpServer, principalOf } from "./server-factory.ts";
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

/** Passes each request to the implementation of its protocol era: 2025 (with sessions) or 2026 (without). */
export class EraDispatch {
  readonly #legacy: LegacyEndpoint;
  readonly #modern: ReturnType<typeof createMcpHandler>;
  readonly #listens: ListenStreams;

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
    this.#legacy = new LegacyEndpoint(parts, sessions, watcher);
    this.#modern = createMcpHandler(build, handler);
    this.#listens = new ListenStreams({ build, handler, watcher, shares, follows });
  }

  async handle(request: McpRequest): Promise<McpResponse> {
    const { web, body, principal } = request;
    const { kind } = classifyInboundRequest({
      httpMethod: web.method,
      ...present("protocolVersionHeader", web.headers.get("mcp-protocol-version")),
      ...present("mcpMethodHeader", web.headers.get("mcp-method")),
      ...present("mcpNameHeader", web.headers.get("mcp-name")),
      ...(body === undefined ? {} : { body }),
    });
    if (kind === "legacy") return this.#legacy.handle(request);
    if (isListen(body)) return this.#listens.handle(web, body, principal);
    return { response: await this.#modern.fetch(web, { parsedBody: body, authInfo: authInfoOf(principal) }) };
  }

  close(): Promise<void> {
    return this.#modern.close();
  }
}

function present<K extends string, V>(key: K, value: V | null): { [P in K]?: V } {
  return value === null ? {} : ({ [key]: value } as { [P in K]?: V });
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
