import type { Principal } from "../auth/principal.ts";
import type { CapabilitySnapshot } from "../capabilities/registry.ts";
import type { MaybePromise } from "../maybe-promise.ts";
import type { Era } from "./direct-call.ts";
import { hasOnly, type PlainRequest } from "./plain-request.ts";
import { isSettled } from "./server-factory.ts";
import { isChatGpt, type ServerParts } from "./server-parts.ts";

/** Results that are kept: one of each method for each set of tools that some caller sees. */
const MAX_KEPT = 500;

/** The methods whose results do not depend on their parameters. */
const METHODS: Readonly<Record<Era, ReadonlySet<string>>> = {
  legacy: new Set(["tools/list", "prompts/list", "resources/templates/list", "ping"]),
  modern: new Set(["tools/list", "prompts/list", "resources/templates/list", "server/discover"]),
};

const PARAMS: ReadonlySet<string> = new Set(["_meta"]);

/** Whether the result of a method may be kept. */
export function isKept(method: string, era: Era): boolean {
  return METHODS[era].has(method);
}

interface KeptResult {
  readonly capabilities: CapabilitySnapshot | undefined;
  readonly json: Buffer;
}

/**
 * Results as JSON that are the same for all callers who see the same tools, such as the 20 KB of `tools/list`. What a caller sees is decided by
 * grants and scopes, by the client program, and by what this server can do at the moment.
 */
export class KeptResults {
  readonly #parts: ServerParts;
  readonly #results = new Map<string, KeptResult>();

  constructor(parts: ServerParts) {
    this.#parts = parts;
  }

  /**
   * @param make has the SDK make the result for this caller
   * @returns JSON; undefined if the SDK must answer the request
   */
  get(
    { method, params }: PlainRequest,
    principal: Principal,
    era: Era,
    make: () => Promise<unknown>,
  ): MaybePromise<Buffer | undefined> {
    if (!hasOnly(params, PARAMS)) return undefined;
    const { grants, profile, capabilities, startedAt } = this.#parts;
    // A profile's own tools may come and go without notice.
    if (profile) return undefined;
    const key = `${method} ${era} ${isSettled(startedAt)} ${isChatGpt(principal)} ${grants.access(principal).key}`;
    const snapshot = capabilities?.snapshot();
    const kept = this.#results.get(key);
    if (kept && kept.capabilities === snapshot) return kept.json;
    return this.#make(key, snapshot, make);
  }

  async #make(key: string, snapshot: CapabilitySnapshot | undefined, make: () => Promise<unknown>) {
    const result = await make();
    if (result === undefined) return undefined;
    const json = Buffer.from(JSON.stringify(result));
    if (this.#results.size >= MAX_KEPT) this.#results.clear();
    // Something may have changed meanwhile. Then this result is of neither state.
    if (this.#parts.capabilities?.snapshot() === snapshot)
      this.#results.set(key, { capabilities: snapshot, json });
    return json;
  }
}
