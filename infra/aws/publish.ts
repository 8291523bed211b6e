import { Resolver } from "node:dns/promises";
import { unanswered } from "./answering.ts";
import { BucketClient } from "./bucket-client.ts";
import { type AwaitedCertificate, awaitCertificate, type Names } from "./certificate-wait.ts";
import { converged } from "./convergence.ts";
import { recordDeployment } from "./history.ts";
import type { ProviderSettings } from "./provider-settings.ts";
import { prune } from "./prune.ts";

/**
 * Run by the engine (deployment.ts): waits for the machines and shows their steps, deletes old archives, and waits for the certificates.
 * The exit code is 1, with the reasons on standard error, if a machine fails the deployment, or gets no certificate although its records
 * are in a zone of the account.
 */
export interface Wait {
  bucket: string;
  /** Ids of all machines. */
  instances: string[];
  generation: string;
  /** Tags of `desired.json`. */
  tags: Record<string, string>;
  /** undefined: these machines serve nothing themselves, and the wait for those that do follows. */
  certificate?: AwaitedCertificate;
  /** Addresses that must answer this host. Empty if the firewall restricts HTTPS. */
  addresses?: string[];
}

const given = <T>(name: string): T => {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set: the Pulumi program runs this script during a deployment`);
  return JSON.parse(value) as T;
};

const log = (line: string) => console.log(line);

/** Uses the host's resolvers, but not /etc/hosts. */
const names: Names = {
  async addresses(name) {
    const resolver = new Resolver({ timeout: 3_000, tries: 2 });
    const found = await Promise.allSettled([resolver.resolve4(name), resolver.resolve6(name)]);
    return found.flatMap((one) => (one.status === "fulfilled" ? one.value : []));
  },
};

/** Waits until clients are served, as far as that is up to the machines. @throws Error when no certificate was issued */
async function served(client: BucketClient, certificate: AwaitedCertificate, addresses: string[]) {
  const { domain } = certificate;
  const outcome = await awaitCertificate(client, certificate, names, { log });
  const silent = await unanswered(addresses, domain, { log });
  if (silent.length > 0) {
    log(
      `warning: ${silent.join(", ")} does not answer https://${domain}/readyz from this host, although the machine is done. ` +
        "If this host reaches the internet only through a proxy, ignore this. Otherwise: npm run doctor, RUNBOOK.md",
    );
  }
  if (outcome.issued) log(`https://${domain} is served with its issued certificate`);
  else if (outcome.waitsForPeople) log(`warning: ${outcome.message}`);
  else throw new Error(outcome.message);
}

try {
  const { bucket, instances, generation, tags, certificate, addresses = [] } = given<Wait>("MCP_EDGE_WAIT");
  const client = new BucketClient(bucket, given<ProviderSettings>("MCP_EDGE_AWS"), tags);
  await converged(client, { generation, instances }, { log });
  if (certificate) {
    await recordDeployment(client, generation, tags);
    await prune(client, log);
    await served(client, certificate, addresses);
  }
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
}
