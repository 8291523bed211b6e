import { sleep } from "../exec.ts";
import { type Objects, type Patience, readStatus, type Status } from "./convergence.ts";

/** Who creates the domain's records: the program in an existing zone, the program in a zone that it created, or an administrator. */
export type Records = "lookup" | "create" | "by hand";

export interface AwaitedCertificate {
  stack: string;
  domain: string;
  instances: string[];
  /** What gets the certificate on them: certbot beside NGINX, or Caddy itself. */
  tlsServer: "nginx" | "caddy";
  records: Records;
  /** Lines of a zone file. */
  lines: string[];
  /** The name servers of the zone that the program created. */
  nameServers: string[];
}

/** Looks names up in DNS. Rejects if there are no addresses, as node:dns does. */
export interface Names {
  addresses(name: string): Promise<string[]>;
}

/** Whether every machine serves with a trusted certificate. If not, the message says why and what to do. */
export type CertificateOutcome =
  | { issued: true }
  | { issued: false; waitsForPeople: boolean; message: string };

/** Ten minutes: the machine retries 30 s, 1, 2, 4 … min after a failure, and DNS takes a minute. */
const LIMIT = 10 * 60_000;

/** The lines whose addresses DNS does not return. */
async function missing({ lines }: AwaitedCertificate, names: Names): Promise<string[]> {
  const found = await Promise.all(
    lines.map(async (line) => {
      const [, name = "", value] = /^(\S+)\. \d+ IN A(?:AAA)? (\S+)$/.exec(line) ?? [];
      if (value === undefined) return [];
      const known = (await names.addresses(name).catch(() => [])).map(canonical);
      return known.includes(canonical(value)) ? [] : [line];
    }),
  );
  return found.flat();
}

const canonical = (address: string) =>
  address.includes(":") ? new URL(`http://[${address}]`).hostname.slice(1, -1) : address;

/**
 * Waits after a deployment until each machine has its certificate. If the records are created by hand and are missing, it does not wait:
 * the machine keeps retrying by itself.
 */
export async function awaitCertificate(
  objects: Objects,
  awaited: AwaitedCertificate,
  names: Names,
  { log, limit = LIMIT, every = 2_000 }: Patience,
): Promise<CertificateOutcome> {
  const end = Date.now() + limit;
  let said = false;
  for (;;) {
    const statuses = await Promise.all(awaited.instances.map((one) => readStatus(objects, one, log)));
    const open = statuses.filter((status) => status?.certificate !== "issued");
    if (open.length === 0) return { issued: true };
    const failed = open.find((status) => status?.certificateProblem);
    if (failed && awaited.records !== "lookup") {
      const lines = await missing(awaited, names);
      if (lines.length > 0)
        return { issued: false, waitsForPeople: true, message: await explain(awaited, failed, lines) };
    }
    if (Date.now() >= end) {
      const lines = await missing(awaited, names);
      return {
        issued: false,
        waitsForPeople: false,
        message: await explain(awaited, failed ?? open[0], lines),
      };
    }
    if (!said) log(`waiting for the certificate of ${awaited.domain}`);
    said = true;
    await sleep(every);
  }
}

function explain(awaited: AwaitedCertificate, status: Status | undefined, lines: string[]): string {
  const { stack, domain, tlsServer, records, nameServers } = awaited;
  const serves =
    status?.certificate === "outdated"
      ? "the certificate of another ACME server"
      : tlsServer === "caddy"
        ? "no certificate"
        : "a self-signed certificate";
  const text = [`${domain} is served with ${serves}: no certificate has been issued yet.`];
  const problem = status?.certificateProblem.trim();
  if (problem) text.push(`The last attempt ended with:\n${indented(problem)}`);
  if (lines.length > 0) {
    text.push(
      `DNS does not point to the machine. These records are missing, as seen from this host:\n${indented(lines.join("\n"))}`,
    );
    if (records === "by hand") text.push(`Create all of them: pulumi stack output records --stack ${stack}`);
    else if (records === "create")
      text.push(
        `Enter the name servers of the new zone at the registrar:\n${indented(nameServers.join("\n"))}`,
      );
    else
      text.push(
        "The Route 53 zone has them. Either the domain is delegated to other name servers, or there are two zones of this name and the settings name the wrong one. Compare: dig NS, aws route53 list-hosted-zones",
      );
  } else if (!problem) text.push("The machine has not reported why.");
  const [retry, log] =
    tlsServer === "caddy"
      ? ["mcp-edge-caddy retry", "'caddy*'"]
      : ["systemctl restart mcp-edge-cert", "mcp-edge-cert.service"];
  text.push(
    "The machine retries by itself, at least once an hour. To retry now: " +
      `npm run mcp-edge -- shell --stack ${stack} -- ${retry}. ` +
      `Its log: npm run mcp-edge -- logs --stack ${stack} -u ${log}`,
  );
  return text.join("\n");
}

const indented = (text: string) => text.split("\n").slice(-20).join("\n  ").replace(/^/, "  ");
