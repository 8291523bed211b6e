import { createHash } from "node:crypto";

/** Something that this server can do here and now, or why it cannot: a program, a service, an index. */
export interface Capability {
  readonly name: string;
  readonly available: boolean;
  /** One sentence: what it rests on when available, else what is missing and how to mend it. May name paths of the machine. */
  readonly why: string;
}

/** All capabilities at one moment. */
export interface CapabilitySnapshot {
  /** sha256 (hex) over the names, the availability and the reasons: it differs exactly when something changed. */
  readonly stamp: string;
  /** Sorted by name. */
  readonly capabilities: readonly Capability[];
}

/** Whatever needs capabilities, such as a tool: it is offered only while all of them are there. */
export interface NeedsCapabilities {
  /** Names in the registry. Default: none. */
  readonly needs?: readonly string[];
}

export type CapabilityListener = (changed: Capability) => void;

/**
 * What this server can do. The parts that know set it, at start and whenever it changes (an index is built, a service goes away);
 * the parts that depend on it ask, and listen for a change in availability (to send `list_changed`).
 */
export class Capabilities {
  readonly #known = new Map<string, Capability>();
  readonly #listeners = new Set<CapabilityListener>();
  #snapshot: CapabilitySnapshot | undefined;

  /** Sets one. Listeners hear of it when its availability is another than before, or when it is new. */
  set(name: string, available: boolean, why: string): void {
    const before = this.#known.get(name);
    if (before?.available === available && before.why === why) return;
    const capability = { name, available, why };
    this.#known.set(name, capability);
    this.#snapshot = undefined;
    if (before?.available !== available) for (const listener of [...this.#listeners]) listener(capability);
  }

  /** False for a name that nobody has set: what is not known to be there is not offered. */
  has(name: string): boolean {
    return this.#known.get(name)?.available ?? false;
  }

  /** True when everything that `of` needs is there. */
  allow(of: NeedsCapabilities): boolean {
    return (of.needs ?? []).every((name) => this.has(name));
  }

  /** What `of` needs and is not there, each with the reason; empty when it can be offered. */
  missing(of: NeedsCapabilities): Capability[] {
    return (of.needs ?? [])
      .filter((name) => !this.has(name))
      .map((name) => this.#known.get(name) ?? { name, available: false, why: "nothing provides it" });
  }

  snapshot(): CapabilitySnapshot {
    if (this.#snapshot) return this.#snapshot;
    const capabilities = [...this.#known.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
    const stamp = createHash("sha256")
      .update(JSON.stringify(capabilities.map(({ name, available, why }) => [name, available, why])))
      .digest("hex");
    this.#snapshot = { stamp, capabilities };
    return this.#snapshot;
  }

  /** @returns ends the subscription */
  onChange(listener: CapabilityListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
