import { Resolver } from "node:dns/promises";
import { unanswered } from "./answering.ts";
import { BucketClient } from "./bucket-client.ts";
import { type AwaitedCertificate, awaitCertificate, type Names } from "./certificate-wait.ts";
import { converged } from "./convergence.ts";
import type { ProviderSettings } from "./provider-settings.ts";
import { prune } from "./prune.ts";

/**
 * Run by the engine (deployment.ts): wait for the machines, say what they do, take old archives away, and wait for the
 * certificates. Exit code 1, with
 * the reasons on standard error, when one of them did not take the deployment, or gets no certificate although its records are in
 * a zone of the account.
 */
export interface Wait {
  bucket: string;
  generation: string;
  /** Tags of `desired.json`. */
  tags: Record<string, string>;
  certificate: AwaitedCertificate;
  /** Addresses that must answer this host; none where not everybody may reach them. */
  addresses: string[];
}

const given = <T>(name: string): T => {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set: this script is the deployment's, run by the program`);
  return JSON.parse(value) as T;
};

const log = (line: string) => console.log(line);

/** Asks the host's resolvers, not /etc/hosts. */
const names: Names = {
  async addresses(name) {
    const resolver = new Resolver({ timeout: 3_000, tries: 2 });
    const found = await Promise.allSettled([resolver.resolve4(name), resolver.resolve6(name)]);
    return found.flatMap((one) => (one.status === "fulfilled" ? one.value : []));
  },
};

try {
  const { bucket, generation, tags, certificate, addresses } = given<Wait>("MCP_EDGE_WAIT");
  const client = new BucketClient(bucket, given<ProviderSettings>("MCP_EDGE_AWS"), tags);
  const { instances, domain } = certificate;
  await converged(client, { generation, instances }, { log });
  await prune(client, log);
  const outcome = await awaitCertificate(client, certificate, names, { log });
  const silent = await unanswered(addresses, domain, { log });
  if (silent.length > 0) {
    log(
      `warning: ${silent.join(", ")} does not answer https://${domain}/readyz from this host, although the machine is done. ` +
        "Where this host reaches the world only by a proxy, that says nothing; else: npm run doctor, RUNBOOK.md",
    );
  }
  if (outcome.issued) log(`https://${domain} is served with a certificate of its authority`);
  else if (outcome.waitsForPeople) log(`warning: ${outcome.message}`);
  else throw new Error(outcome.message);
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
}
