import type { LookupAddress } from "node:dns";
import { CheckFailure } from "../check.ts";
import type { Context } from "../context.ts";
import { explain } from "../explain.ts";
import { Limit } from "../limit.ts";

/** Errors of this computer's kernel if it has no address of that family. They are not the server's fault. */
const NO_ROUTE_HERE = new Set(["ENETUNREACH", "EADDRNOTAVAIL", "EAFNOSUPPORT", "EINVAL"]);

/** Fraction of the check's time limit for one address, so that a silent one does not hide the results of the others. */
const SHARE = 0.8;

export interface Attempts {
  context: Context;
  signal: AbortSignal;
  addresses: LookupAddress[];
  /** Describes the result at one address. */
  attempt(address: string, signal: AbortSignal): Promise<string>;
  /** Called with the addresses that worked, even if others did not. */
  onGood?(good: LookupAddress[]): void;
}

/**
 * Tries all addresses at the same time. IPv6 addresses are skipped if this computer has no IPv6, as long
 * as there is an IPv4 address.
 * @returns a sentence about all addresses
 * @throws CheckFailure when one does not work
 */
export async function tryAddresses(attempts: Attempts): Promise<string> {
  const outcomes = await Promise.all(attempts.addresses.map((address) => tryOne(address, attempts)));
  attempts.onGood?.(outcomes.filter(({ state }) => state === "good").map(({ address }) => address));
  const text = outcomes.map(({ address, got }) => `${address.address}: ${got}`).join("; ");
  const bad = outcomes.find(({ state }) => state === "bad");
  if (bad !== undefined) throw new CheckFailure(text, bad.fix);
  return text;
}

interface Outcome {
  address: LookupAddress;
  state: "good" | "bad" | "passed over";
  got: string;
  fix?: string | undefined;
}

async function tryOne(address: LookupAddress, attempts: Attempts): Promise<Outcome> {
  const limit = new Limit(attempts.context.limitMs * SHARE, attempts.signal);
  try {
    const got = await limit.race(attempts.attempt(address.address, limit.signal));
    return { address, state: "good", got };
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? "";
    const other = attempts.addresses.some(({ family }) => family === 4);
    if (address.family === 6 && NO_ROUTE_HERE.has(code) && other) {
      return { address, state: "passed over", got: "not tried, this computer has no IPv6" };
    }
    if (error instanceof CheckFailure) return { address, state: "bad", got: error.message, fix: error.fix };
    return { address, state: "bad", ...explain(error) };
  }
}
