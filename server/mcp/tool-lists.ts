import type { Principal } from "../auth/principal.ts";
import { toolsTtlMs } from "./server-factory.ts";
import { type ServerParts, visibleTools } from "./server-parts.ts";

/** Lists that are kept: one for each set of tools that some caller sees. */
const MAX_LISTS = 200;

/**
 * The results of `tools/list` as JSON text: 20 KB that are the same for all callers who see the same tools. What a caller is not granted is
 * not in their list, so the names of the tools are part of the key.
 */
export class ToolLists {
  readonly #parts: ServerParts;
  readonly #texts = new Map<string, string>();

  constructor(parts: ServerParts) {
    this.#parts = parts;
  }

  /**
   * @param make has the SDK make the result for this caller
   * @returns JSON text; undefined if the list cannot be kept
   */
  async get(principal: Principal, era: string, make: () => Promise<unknown>): Promise<string | undefined> {
    const { grants, profile } = this.#parts;
    // A profile's own tools may come and go without notice.
    if (profile) return undefined;
    const names = visibleTools(this.#parts, principal).map(({ name }) => name);
    const key = `${era} ${toolsTtlMs(this.#parts, principal)} ${grants.access(principal).key} ${names.join()}`;
    const known = this.#texts.get(key);
    if (known !== undefined) return known;
    const result = await make();
    if (result === undefined) return undefined;
    const text = JSON.stringify(result);
    if (this.#texts.size >= MAX_LISTS) this.#texts.clear();
    this.#texts.set(key, text);
    return text;
  }
}
