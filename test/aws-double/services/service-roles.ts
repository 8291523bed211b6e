import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Account } from "../kind.ts";

/**
 * Service-linked roles: made in the caller's name by the first resource of an account that needs one, and never deleted with it.
 * They are no resources of a stack, so they lie beside the store.
 */
const fileOf = (aws: Account, service: string) => join(aws.store.home, "service-roles", service);

export const hasServiceRole = (aws: Account, service: string): boolean => existsSync(fileOf(aws, service));

export function ensureServiceRole(aws: Account, service: string): void {
  mkdirSync(join(aws.store.home, "service-roles"), { recursive: true });
  writeFileSync(fileOf(aws, service), "");
}
