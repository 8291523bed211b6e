import type { LookupAddress } from "node:dns";
import { CheckFailure } from "../check.ts";
import type { Context } from "../context.ts";
import { explain } from "../explain.ts";
import { Limit } from "../limit.ts";

/** Errors that the own kernel gives when this computer has no address of that family: no fault of the server. */
const NO_ROUTE_HERE = new Set(["ENETUNREACH", "EADDRNOTAVAIL", "EAFNOSUPPORT", "EINVAL"]);

/** Part of the check's limit that one address has, so that a silent one does not hide what the others said. */
const SHARE = 0.8;

export interface Attempts {
  context: Context;
  signal: AbortSignal;
  addresses: LookupAddress[];
  /** Says what came at one address. */
  attempt(address: string, signal: AbortSignal): Promise<string>;
  /** Told the addresses that worked, also when others did not. */
  onGood?(good: LookupAddress[]): void;
}

/**
 * Tries all addresses side by side. IPv6 addresses that this computer cannot reach by itself are passed over, as long
 * as an IPv4 address is there.
 * @returns a sentence about all
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
