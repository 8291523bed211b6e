import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Account } from "../kind.ts";

/** Availability zones of a region, and the instance types that EC2 offers and has available in them. */

/** By instance type. A type that is not named is offered and available in every zone. */
interface Scarcity {
  /** Zones that never have the type: RunInstances answers Unsupported. */
  unoffered: Record<string, string[]>;
  /** Zones that have none left at the moment: InsufficientInstanceCapacity. */
  exhausted: Record<string, string[]>;
}

const fileOf = (aws: Account) => join(aws.store.home, "scarcity.json");

const scarcity = (aws: Account): Scarcity =>
  existsSync(fileOf(aws))
    ? (JSON.parse(readFileSync(fileOf(aws), "utf8")) as Scarcity)
    : { unoffered: {}, exhausted: {} };

/** For tests: an account whose region lacks something. */
export function makeScarce(aws: Account, what: Partial<Scarcity>): void {
  writeFileSync(fileOf(aws), JSON.stringify({ ...scarcity(aws), ...what }));
}

export const zonesOf = (region: string) => ["a", "b", "c"].map((letter) => `${region}${letter}`);

export const offeredZones = (aws: Account, type: string) =>
  zonesOf(aws.region).filter((zone) => !scarcity(aws).unoffered[type]?.includes(zone));

/** @returns the error code with which EC2 refuses to run this type in that zone, or undefined */
export function refusalIn(aws: Account, type: string, zone: string): string | undefined {
  if (!offeredZones(aws, type).includes(zone)) return "Unsupported";
  return scarcity(aws).exhausted[type]?.includes(zone) ? "InsufficientInstanceCapacity" : undefined;
}
