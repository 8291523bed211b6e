import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Props } from "../values.ts";

/** The role that runs the program. `administrator` may do everything; the others have the policies of docs/. */
export const ROLES = ["deployer", "drift", "preview", "administrator"] as const;
export type Role = (typeof ROLES)[number];

/** What the administrator who creates the role fills in (docs/environments.md). */
export interface Placeholders {
  stack: string;
  /** The edge's name; default any. */
  domain?: string;
  /** Id of the zone; default any, as with `hostedZone: create`. */
  zone?: string;
}

const DOCS = join(import.meta.dirname, "../../../docs");

export const policyText = (role: Exclude<Role, "administrator">) =>
  readFileSync(join(DOCS, `${role}-policy.json`), "utf8");

const filled = new Map<string, Props[]>();

/** @returns the policies of a role with its placeholders filled; undefined: everything is allowed */
export function policiesOf(
  role: Role,
  { stack, domain = "*", zone = "*" }: Placeholders,
): Props[] | undefined {
  if (role === "administrator") return undefined;
  const key = JSON.stringify([role, stack, domain, zone]);
  const known = filled.get(key);
  if (known) return known;
  const text = policyText(role)
    .replaceAll("STACK", stack)
    .replaceAll("DOMAIN", domain)
    .replaceAll("ZONE", zone);
  const made = [JSON.parse(text) as Props];
  filled.set(key, made);
  return made;
}
