import * as state from "@pulumi/pulumi/runtime/state.js";

type Store = Record<string, unknown>;

/** What the SDK keeps of a run; its declarations leave these functions out. */
const { getStore, getGlobalStore } = state as unknown as { getStore(): Store; getGlobalStore(): Store };

/**
 * Lets transforms know what the engine supports. The SDK runs an inline program in an asynchronous store of its own, and its transforms
 * outside of that store. There it takes the engine for one without secrets, and hands it each secret as plain text, which then is in the
 * state. Call it first in an inline program.
 */
export function shareEngineFeatures(): void {
  const supported = Object.entries(getStore()).filter(([name]) => name.startsWith("supports"));
  Object.assign(getGlobalStore(), Object.fromEntries(supported));
}
