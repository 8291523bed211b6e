import { createHash } from "node:crypto";

/** A program, a service or an index that this server may have. */
export interface Capability {
  readonly name: string;
  readonly available: boolean;
  /** One sentence: what provides it, or what is missing and how to fix that. It may name paths of the machine. */
  readonly why: string;
}

/** All capabilities at one moment. */
export interface CapabilitySnapshot {
  /** sha256 (hex) of the names, availability and reasons. It changes exactly if one of them does. */
  readonly stamp: string;
  /** Sorted by name. */
  readonly capabilities: readonly Capability[];
}

/** Something that needs capabilities, such as a tool. It is offered only while all of them are available. */
export interface NeedsCapabilities {
  /** Names in the registry. Default: none. */
  readonly needs?: readonly string[];
}

export type CapabilityListener = (changed: Capability) => void;

/**
 * The capabilities of this server. The parts that provide them set them, at start and on changes (an index is built, a service is lost).
 * The parts that depend on them query them, and listen for changes of availability (to send `list_changed`).
 */
export class Capabilities {
  readonly #known = new Map<string, Capability>();
  readonly #listeners = new Set<CapabilityListener>();
  #snapshot: CapabilitySnapshot | undefined;

  /** Sets a capability. Listeners are called if it is new, or its availability has changed. */
  set(name: string, available: boolean, why: string): void {
    const before = this.#known.get(name);
    if (before?.available === available && before.why === why) return;
    const capability = { name, available, why };
    this.#known.set(name, capability);
    this.#snapshot = undefined;
    if (before?.available !== available) for (const listener of [...this.#listeners]) listener(capability);
  }

  /** False for an unknown name. */
  has(name: string): boolean {
    return this.#known.get(name)?.available ?? false;
  }

  /** True if everything that `of` needs is available. */
  allow(of: NeedsCapabilities): boolean {
    return (of.needs ?? []).every((name) => this.has(name));
  }

  /** The capabilities that `of` needs and that are not available, with the reasons. */
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
