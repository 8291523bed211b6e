import {
  type CreateMcpHandlerOptions,
  createMcpHandler,
  type McpServerFactory,
} from "@modelcontextprotocol/server";
import type { Principal } from "../auth/principal.ts";
import type { Shares } from "../shares/shares.ts";
import type { ChangeWatcher } from "./change-watcher.ts";
import type { McpRequest } from "./exchange.ts";
import type { HttpExchange } from "./http-exchange.ts";
import { sendSdkAnswer } from "./sdk-answer.ts";
import { authInfoOf } from "./server-factory.ts";

/** Maximum number of resources that one stream may follow: each is checked every two seconds. */
export const MAX_LISTENED = 100;
/** Maximum number of open streams of all callers, about 20 KB each. For those of one caller, see Shares. */
const MAX_LISTENS = 4_096;

export interface ListenStreamsOptions {
  readonly build: McpServerFactory;
  readonly handler: CreateMcpHandlerOptions;
  readonly watcher: ChangeWatcher;
  /** The limits of each token. */
  readonly shares: Shares;
  /** Whether a resource exists, and the caller may follow it. */
  readonly follows: (principal: Principal, uri: string) => Promise<boolean>;
}

/** Whether this is `subscriptions/listen` (2026-07-28), the one POST with a long-lived stream. */
export function isListen(body: unknown): boolean {
  return (
    typeof body === "object" && body !== null && "method" in body && body.method === "subscriptions/listen"
  );
}

/** Serves `subscriptions/listen`. The acknowledgment names exactly what is followed. A drain ends each stream with its result. */
export class ListenStreams {
  readonly #options: ListenStreamsOptions;
  #open = 0;

  constructor(options: ListenStreamsOptions) {
    this.#options = options;
  }

  async handle({ http, body, principal }: McpRequest): Promise<void> {
    const { build, watcher, shares, follows, handler: shared } = this.#options;
    const requested = requestedUris(body);
    if (requested.length > MAX_LISTENED)
      return errorResult(
        http,
        body,
        -32_602,
        `Invalid params: ${requested.length} resourceSubscriptions, more than the ${MAX_LISTENED} that one stream may follow; open another stream for the rest`,
      );
    if (this.#open >= MAX_LISTENS) return errorResult(http, body, -32_603, "Subscription limit reached");
    const closeStream = shares.listens.open(principal.id);
    let closeResources: (() => void) | undefined;
    this.#open++;
    let unfollow: (() => void) | undefined;
    let ended = false;
    const onEnd = () => {
      if (ended) return;
      ended = true;
      this.#open--;
      closeStream();
      closeResources?.();
      unfollow?.();
    };
    try {
      closeResources = shares.resources.open(principal.id, requested.length);
      const uris: string[] = [];
      for (const uri of requested) if (await follows(principal, uri)) uris.push(uri);
      unfollow = await watcher.listen(uris);
      // One handler per stream: closing it sends the SubscriptionsListenResult on this stream and affects no other.
      const handler = createMcpHandler(build, shared);
      await sendSdkAnswer(
        http,
        principal,
        false,
        (web) =>
          handler.fetch(web, {
            parsedBody: requested.length === 0 ? body : withSubscriptions(body, uris),
            authInfo: authInfoOf(principal),
          }),
        { longLived: true, onEnd, onDrain: () => void handler.close() },
      );
    } catch (error) {
      onEnd();
      throw error;
    }
  }
}

/** A refusal as the SDK itself sends it: an error as the answer to the request, with status 200. */
function errorResult(http: HttpExchange, body: unknown, code: number, message: string): void {
  const { id = null } = body as { id?: unknown };
  http.json(200, [JSON.stringify({ jsonrpc: "2.0", error: { code, message }, id })]);
}

interface ListenBody {
  readonly params?: { readonly notifications?: { readonly resourceSubscriptions?: unknown } };
}

/** The resources that a `subscriptions/listen` names, without duplicates. The SDK answers malformed lists. */
function requestedUris(body: unknown): string[] {
  const named = (body as ListenBody).params?.notifications?.resourceSubscriptions;
  return Array.isArray(named) && named.every((uri) => typeof uri === "string") ? [...new Set(named)] : [];
}

/** The same request with only the resources that can be followed, because the SDK acknowledges all that it reads. */
function withSubscriptions(body: unknown, uris: readonly string[]): unknown {
  const { params, ...rest } = body as ListenBody;
  const notifications = { ...params?.notifications, resourceSubscriptions: uris };
  return { ...rest, params: { ...params, notifications } };
}
