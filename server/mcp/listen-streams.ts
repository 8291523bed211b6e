import {
  type CreateMcpHandlerOptions,
  createMcpHandler,
  InMemoryServerEventBus,
  type McpServerFactory,
} from "@modelcontextprotocol/server";
import type { Principal } from "../auth/principal.ts";
import type { Shares } from "../shares/shares.ts";
import type { RequestId } from "../store/store.ts";
import type { ChangeBus } from "./change-bus.ts";
import type { ChangeWatcher } from "./change-watcher.ts";
import type { McpRequest } from "./exchange.ts";
import type { HttpExchange } from "./http-exchange.ts";
import type { PlainRequest } from "./plain-request.ts";
import { sendSdkAnswer } from "./sdk-answer.ts";
import { authInfoOf } from "./server-factory.ts";
import { type Acknowledgment, acknowledgmentIn, directAcknowledgment, Subscription } from "./subscription.ts";

/** Maximum number of resources that one stream may follow: each is checked every two seconds. */
const MAX_LISTENED = 100;
/** Maximum number of open streams of all callers, about 10 KB each. For those of one caller, see Shares. */
const MAX_LISTENS = 12_000;

export interface ListenStreamsOptions {
  readonly build: McpServerFactory;
  readonly handler: CreateMcpHandlerOptions;
  readonly changes: ChangeBus;
  readonly keepAliveMs: number;
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
  readonly #sdk: ReturnType<typeof createMcpHandler>;
  #count = 0;

  constructor(options: ListenStreamsOptions) {
    this.#options = options;
    // It acknowledges, and does no more: no event reaches it.
    const bus = new InMemoryServerEventBus();
    this.#sdk = createMcpHandler(options.build, { ...options.handler, bus, keepAliveMs: 0 });
  }

  /** @param plain the body, if it is one plain request that may be answered without the SDK */
  async handle(request: McpRequest, plain: PlainRequest | undefined): Promise<void> {
    const { http, body, principal } = request;
    const requested = requestedUris(body);
    if (requested.length > MAX_LISTENED)
      return errorResult(
        http,
        body,
        -32_602,
        `Invalid params: ${requested.length} resourceSubscriptions, more than the ${MAX_LISTENED} that one stream may follow; open another stream for the rest`,
      );
    if (this.#count >= MAX_LISTENS) return errorResult(http, body, -32_603, "Subscription limit reached");
    const { shares, changes } = this.#options;
    const subscription = new Subscription((body as { id: RequestId }).id);
    // Released in the opposite order.
    const releases = [shares.listens.open(principal.id)];
    this.#count++;
    const onEnd = () => {
      if (releases.length === 0) return;
      this.#count--;
      for (const release of releases.splice(0).reverse()) release();
    };
    try {
      if (requested.length > 0) releases.push(shares.resources.open(principal.id, requested.length));
      releases.push(changes.subscribe((event) => subscription.publish(event)));
      const answer = await this.#acknowledge(request, plain, requested, releases);
      if (!(answer instanceof Response)) return this.#open(request, subscription, answer, onEnd);
      onEnd();
      await passOn(request, answer);
    } catch (error) {
      onEnd();
      throw error;
    }
  }

  /** @returns the SDK's answer, if that is no acknowledgment */
  async #acknowledge(
    { http, body, principal }: McpRequest,
    plain: PlainRequest | undefined,
    requested: readonly string[],
    releases: (() => void)[],
  ): Promise<Acknowledgment | Response> {
    const { watcher, follows } = this.#options;
    const uris: string[] = [];
    for (const uri of requested) if (await follows(principal, uri)) uris.push(uri);
    releases.push(await watcher.listen(uris));
    const direct = plain && directAcknowledgment(plain, uris);
    if (direct) return direct;
    const response = await this.#sdk.fetch(http.web(), {
      parsedBody: requested.length === 0 ? body : withSubscriptions(body, uris),
      authInfo: authInfoOf(principal),
    });
    return (await acknowledgmentIn(response)) ?? response;
  }

  /** The stream keeps what its closures refer to, so these are made where there is nothing else. */
  #open(
    { http, principal }: McpRequest,
    subscription: Subscription,
    acknowledgment: Acknowledgment,
    onEnd: () => void,
  ): void {
    const { keepAliveMs } = this.#options;
    const onDrain = () => subscription.complete();
    const stream = http.stream(principal, { longLived: true, keepAliveMs, onEnd, onDrain });
    subscription.open(stream, acknowledgment);
  }
}

function passOn({ http, principal }: McpRequest, response: Response): Promise<void> {
  return sendSdkAnswer(http, principal, false, async () => response);
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
