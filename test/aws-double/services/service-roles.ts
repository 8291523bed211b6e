import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Account } from "../kind.ts";

/**
 * Service-linked roles. The first resource of an account that needs one creates it with the caller's permissions, and its deletion keeps it.
 * They are not resources of a stack, so they are not in the store.
 */
const fileOf = (aws: Account, service: string) => join(aws.store.home, "service-roles", service);

export const hasServiceRole = (aws: Account, service: string): boolean => existsSync(fileOf(aws, service));

export function ensureServiceRole(aws: Account, service: string): void {
  mkdirSync(join(aws.store.home, "service-roles"), { recursive: true });
  writeFileSync(fileOf(aws, service), "");
}
