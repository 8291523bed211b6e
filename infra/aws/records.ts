/** The DNS records of the edge as plain data: made in Route 53, or printed for whoever keeps the zone. Pure. */
export interface DnsRecord {
  name: string;
  type: "A" | "AAAA" | "HTTPS" | "CAA";
  /** Seconds. */
  ttl: number;
  values: string[];
}

/** One TTL for addresses and HTTPS together, so that no client holds hints to addresses that are gone. Seconds. */
export const TTL = 300;

/**
 * Who may issue certificates for the domain (RFC 8659), and only by the way that the machine uses (RFC 8657). An ACME server
 * of one's own is named by its host.
 */
export function caaIssuer(acme: string): string {
  const host = acme.startsWith("https:") ? new URL(acme).hostname : "letsencrypt.org";
  return `${host}; validationmethods=http-01`;
}

/** @returns A, AAAA, HTTPS (RFC 9460: clients begin with HTTP/3) and CAA of the domain */
export function dnsRecords(args: {
  domain: string;
  email: string;
  acme: string;
  ipv4: string[];
  ipv6: string[];
}): DnsRecord[] {
  const { domain: name } = args;
  const caa = [`0 issue "${caaIssuer(args.acme)}"`, '0 issuewild ";"', `0 iodef "mailto:${args.email}"`];
  return [
    { name, type: "A", ttl: TTL, values: args.ipv4 },
    { name, type: "AAAA", ttl: TTL, values: args.ipv6 },
    { name, type: "HTTPS", ttl: TTL, values: ['1 . alpn="h3,h2"'] },
    { name, type: "CAA", ttl: TTL, values: caa },
  ];
}

/** A line as in a zone file. */
export const zoneLine = ({ name, type, ttl }: DnsRecord, value: string) =>
  `${name}. ${ttl} IN ${type} ${value}`;
