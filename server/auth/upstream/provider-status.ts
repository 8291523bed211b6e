import type { Check } from "../../http/readiness.ts";
import type { Provider } from "./identity.ts";

/** How long a result is shown, milliseconds. */
const FRESH_MS = 60_000;

/**
 * Whether a provider can be reached, for the readiness probe, which must not wait for it: the last result is shown, and a new one is fetched
 * meanwhile. It does not count: people who are signed in are served all the same.
 *
 * @param hint is added where all is well
 */
export function providerCheck(
  name: string,
  provider: Pick<Provider, "probe">,
  hint: string,
  now: () => number = Date.now,
): Check {
  let last: { readonly problem: Error | undefined; readonly detail: string } | undefined;
  let startedAt = Number.NEGATIVE_INFINITY;
  const refresh = async () => {
    startedAt = now();
    last = await provider.probe().then(
      (detail) => ({ problem: undefined, detail: `${detail}; ${hint}` }),
      (problem: Error) => ({ problem, detail: "" }),
    );
  };
  return {
    name: `identity-${name}`,
    counts: false,
    run: async () => {
      if (now() - startedAt >= FRESH_MS) void refresh();
      if (last?.problem) throw last.problem;
      return last?.detail ?? "not tried yet";
    },
  };
}
