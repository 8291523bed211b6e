import {
  type CreateMcpHandlerOptions,
  createMcpHandler,
  type McpServerFactory,
} from "@modelcontextprotocol/server";
import type { Principal } from "../auth/principal.ts";
import { LazyAbort } from "../lazy-abort.ts";
import { type MaybePromise, then } from "../maybe-promise.ts";
import {
  callPieces,
  type DirectCall,
  type DirectCalls,
  requestedLevel,
  resultPieces,
} from "./direct-call.ts";
import type { McpRequest } from "./exchange.ts";
import { isKept, type KeptResults } from "./kept-results.ts";
import type { PlainRequest } from "./plain-request.ts";
import { PostAnswer } from "./post-answer.ts";
import { sendSdkAnswer } from "./sdk-answer.ts";
import { authInfoOf } from "./server-factory.ts";

export interface ModernEndpointOptions {
  readonly build: McpServerFactory;
  readonly handler: CreateMcpHandlerOptions;
  readonly keepAliveMs: number;
  readonly results: KeptResults;
  readonly calls: DirectCalls;
}

/** The revision 2026-07-28, but for `subscriptions/listen`: each request stands for itself. */
export class ModernEndpoint {
  readonly #options: ModernEndpointOptions;
  readonly #sdk: ReturnType<typeof createMcpHandler>;

  constructor(options: ModernEndpointOptions) {
    this.#options = options;
    this.#sdk = createMcpHandler(options.build, options.handler);
  }

  /** @param plain the body, if it is one plain request that may be answered without the SDK */
  handle(request: McpRequest, plain: PlainRequest | undefined): MaybePromise<void> {
    if (!plain) return this.#bySdk(request);
    if (isKept(plain.method, "modern"))
      return then(this.#kept(request, plain), (answered) => (answered ? undefined : this.#bySdk(request)));
    return then(this.#options.calls.prepare(request.principal, plain), (call) =>
      call ? this.#call(request, call) : this.#bySdk(request),
    );
  }

  #bySdk({ http, body, principal }: McpRequest): Promise<void> {
    return sendSdkAnswer(http, principal, Array.isArray(body), (web) => this.#fetch(web, body, principal));
  }

  close(): Promise<void> {
    return this.#sdk.close();
  }

  #fetch(web: Request, body: unknown, principal: Principal): Promise<Response> {
    return this.#sdk.fetch(web, { parsedBody: body, authInfo: authInfoOf(principal) });
  }

  #kept({ http, body, principal }: McpRequest, plain: PlainRequest): MaybePromise<boolean> {
    if (!http.readable.json) return false;
    const kept = this.#options.results.get(plain, principal, "modern", async () => {
      const response = await this.#fetch(http.web(), body, principal);
      return response.ok ? ((await response.json()) as { result?: unknown }).result : undefined;
    });
    return then(kept, (result) => {
      if (result !== undefined) http.json(200, resultPieces(plain.id, result));
      return result !== undefined;
    });
  }

  async #call({ http, principal }: McpRequest, call: DirectCall): Promise<void> {
    const { calls, keepAliveMs } = this.#options;
    const { request } = call;
    const abort = new LazyAbort();
    const answer = new PostAnswer({
      http,
      principal,
      requests: [request.id],
      batch: false,
      keepAliveMs,
      era: "modern",
      onAbandon: () => abort.abort(),
    });
    const listener = {
      abort,
      logLevel: requestedLevel(request),
      notify: (text: string) => answer.notify(text),
    };
    const result = await calls.run(principal, call, listener);
    answer.respond(request.id, callPieces(request.id, result, "modern"));
  }
}
