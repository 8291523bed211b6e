import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { projectRoot } from "../paths.ts";

/** Its certificates are for tests: no system trusts their roots. */
const STAGING = join(projectRoot, "infra/aws/letsencrypt-staging-roots.pem");

/**
 * The roots under which a stack's certificates are valid, where a client's own do not hold them: Let's Encrypt's for tests, or
 * those of the certificate authority of one's own (`acmeCa`).
 * @returns PEM; "" for certificates that every client trusts
 * @throws Error when the file that `acmeCa` names cannot be read
 */
export async function acmeRoots({ acme, acmeCa }: { acme: string; acmeCa: string }): Promise<string> {
  if (acme === "letsencrypt-staging") return readFile(STAGING, "utf8");
  return acmeCa === "" ? "" : readFile(acmeCa, "utf8");
}
