import type { Principal } from "../auth/principal.ts";
import type { CapabilitySnapshot } from "../capabilities/registry.ts";
import type { MaybePromise } from "../maybe-promise.ts";
import type { Era } from "./direct-call.ts";
import { isSettled } from "./server-factory.ts";
import { isChatGpt, type ServerParts } from "./server-parts.ts";

/** Lists that are kept: one for each set of tools that some caller sees. */
const MAX_LISTS = 200;

interface KeptList {
  readonly capabilities: CapabilitySnapshot | undefined;
  readonly json: Buffer;
}

/**
 * The results of `tools/list` as JSON: 20 KB that are the same for all callers who see the same tools. What a caller sees is decided by
 * grants and scopes, by the client program, and by what this server can do at the moment.
 */
export class ToolLists {
  readonly #parts: ServerParts;
  readonly #lists = new Map<string, KeptList>();

  constructor(parts: ServerParts) {
    this.#parts = parts;
  }

  /**
   * @param make has the SDK make the result for this caller
   * @returns JSON; undefined if the list cannot be kept
   */
  get(principal: Principal, era: Era, make: () => Promise<unknown>): MaybePromise<Buffer | undefined> {
    const { grants, profile, capabilities, startedAt } = this.#parts;
    // A profile's own tools may come and go without notice.
    if (profile) return undefined;
    const key = `${era} ${isSettled(startedAt)} ${isChatGpt(principal)} ${grants.access(principal).key}`;
    const snapshot = capabilities?.snapshot();
    const kept = this.#lists.get(key);
    if (kept && kept.capabilities === snapshot) return kept.json;
    return this.#make(key, snapshot, make);
  }

  async #make(key: string, snapshot: CapabilitySnapshot | undefined, make: () => Promise<unknown>) {
    const result = await make();
    if (result === undefined) return undefined;
    const json = Buffer.from(JSON.stringify(result));
    if (this.#lists.size >= MAX_LISTS) this.#lists.clear();
    // Something may have changed meanwhile. Then this list is of neither state.
    if (this.#parts.capabilities?.snapshot() === snapshot)
      this.#lists.set(key, { capabilities: snapshot, json });
    return json;
  }
}
