import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { projectRoot } from "../paths.ts";

/** Its certificates are for tests, and no system trusts their roots. */
const STAGING = join(projectRoot, "infra/aws/letsencrypt-staging-roots.pem");

/**
 * The roots of a stack's certificates that clients do not have by themselves: those of Let's Encrypt's staging environment, or
 * those of a private certificate authority (`acmeCa`).
 * @returns PEM; "" for certificates that every client trusts
 * @throws Error when the file that `acmeCa` names cannot be read
 */
export async function acmeRoots({ acme, acmeCa }: { acme: string; acmeCa: string }): Promise<string> {
  if (acme === "letsencrypt-staging") return readFile(STAGING, "utf8");
  return acmeCa === "" ? "" : readFile(acmeCa, "utf8");
}
