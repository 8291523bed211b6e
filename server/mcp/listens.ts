import {
  type CreateMcpHandlerOptions,
  createMcpHandler,
  type McpServerFactory,
} from "@modelcontextprotocol/server";
import type { Principal } from "../auth/principal.ts";
import type { Shares } from "../shares/shares.ts";
import type { LegacyAnswer } from "./legacy-leg.ts";
import { authInfoOf } from "./server-factory.ts";
import type { Watch } from "./watch.ts";

/** Resources that one stream may follow: each is looked at every two seconds. */
export const MAX_LISTENED = 100;
/** Streams of all callers that may be open at the same time; some 20 KB each. Of one caller: see Shares. */
const MAX_LISTENS = 4_096;

export interface ListensOptions {
  readonly build: McpServerFactory;
  readonly handler: CreateMcpHandlerOptions;
  readonly watch: Watch;
  /** What each token may have open. */
  readonly shares: Shares;
  /** Whether the caller may follow a resource, and it is there. */
  readonly follows: (principal: Principal, uri: string) => Promise<boolean>;
}

/** `subscriptions/listen` (2026-07-28) is the one POST whose stream stands open. */
export function isListen(body: unknown): boolean {
  return (
    typeof body === "object" && body !== null && "method" in body && body.method === "subscriptions/listen"
  );
}

/** Serves `subscriptions/listen`: the acknowledgment names exactly what is followed, and a drain ends each stream with its result. */
export class Listens {
  readonly #options: ListensOptions;
  #open = 0;

  constructor(options: ListensOptions) {
    this.#options = options;
  }

  async handle(web: Request, body: unknown, principal: Principal): Promise<LegacyAnswer> {
    const { build, watch, shares, handler: shared } = this.#options;
    const asked = listenedUris(body);
    if (asked.length > MAX_LISTENED)
      return refused(
        body,
        -32_602,
        `Invalid params: ${asked.length} resourceSubscriptions are named, at most ${MAX_LISTENED} are followed by one stream; open another stream for the rest`,
      );
    if (this.#open >= MAX_LISTENS) return refused(body, -32_603, "Subscription limit reached");
    const closeStream = shares.listens.open(principal.id);
    let closeResources: (() => void) | undefined;
    this.#open++;
    let unwatch: (() => void) | undefined;
    let ended = false;
    const onEnd = () => {
      if (ended) return;
      ended = true;
      this.#open--;
      closeStream();
      closeResources?.();
      unwatch?.();
    };
    try {
      closeResources = shares.resources.open(principal.id, asked.length);
      const uris: string[] = [];
      for (const uri of asked) if (await this.#options.follows(principal, uri)) uris.push(uri);
      unwatch = await watch.listen(uris);
      // One handler a stream: closing it sends the SubscriptionsListenResult on this stream, and touches nothing else.
      const handler = createMcpHandler(build, shared);
      const response = await handler.fetch(web, {
        parsedBody: asked.length === 0 ? body : following(body, uris),
        authInfo: authInfoOf(principal),
      });
      return { response, onEnd, onDrain: () => void handler.close() };
    } catch (error) {
      onEnd();
      throw error;
    }
  }
}

/** In the SDK's own form of such a refusal: an answer to the request, with status 200. */
function refused(body: unknown, code: number, message: string): LegacyAnswer {
  const { id = null } = body as { id?: unknown };
  return { response: Response.json({ jsonrpc: "2.0", error: { code, message }, id }) };
}

interface ListenBody {
  readonly params?: { readonly notifications?: { readonly resourceSubscriptions?: unknown } };
}

/** The resources that a `subscriptions/listen` names, each once, as far as it is sound; the SDK answers what is not. */
function listenedUris(body: unknown): string[] {
  const named = (body as ListenBody).params?.notifications?.resourceSubscriptions;
  return Array.isArray(named) && named.every((uri) => typeof uri === "string") ? [...new Set(named)] : [];
}

/** The request as if it named only what can be followed: the SDK acknowledges what it reads. */
function following(body: unknown, uris: readonly string[]): unknown {
  const { params, ...rest } = body as ListenBody;
  const notifications = { ...params?.notifications, resourceSubscriptions: uris };
  return { ...rest, params: { ...params, notifications } };
}
