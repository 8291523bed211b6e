import { median } from "../figures.ts";
import type { Loading, MeasuredLoad, Served } from "./load-types.ts";
import { measured } from "./served.ts";

const ROUNDS = 3;
/** Seconds. The code of a call is compiled already; the caches of the processor have what the others left there. */
const WARM_UP_AGAIN = 1;

/** A server, and what is sent to it. */
export interface Turn {
  readonly what: string;
  readonly target: Served;
  readonly loading: Loading;
}

/**
 * Measures each in turn, several times. The speed of a shared host changes by half within a minute: what is measured once, a minute after what it
 * is compared with, would be compared with another machine.
 *
 * @returns for each, the median of its rounds; `failed` is their sum
 */
export async function inTurn<const Turns extends readonly Turn[]>(
  turns: Turns,
  log: (line: string) => void,
): Promise<{ [N in keyof Turns]: MeasuredLoad }> {
  const results = turns.map((): MeasuredLoad[] => []);
  for (let round = 1; round <= ROUNDS; round++)
    for (const [n, { what, target, loading }] of turns.entries()) {
      log(`${what} (${round} of ${ROUNDS})`);
      results[n]?.push(await measured(target, loading, round === 1 ? undefined : WARM_UP_AGAIN));
    }
  return results.map(inTheMiddle) as { [N in keyof Turns]: MeasuredLoad };
}

function inTheMiddle(results: readonly MeasuredLoad[]): MeasuredLoad {
  const middle = (name: keyof MeasuredLoad) => median(results.map((result) => result[name]));
  return {
    rate: middle("rate"),
    failed: results.reduce((sum, { failed }) => sum + failed, 0),
    p50: middle("p50"),
    p99: middle("p99"),
    processor: middle("processor"),
  };
}
