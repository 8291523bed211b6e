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
 * Who may issue certificates for the domain (RFC 8659); Let's Encrypt only by the way that the machine uses, since it is known to
 * heed that parameter (RFC 8657).
 */
const issueValue = (issuer: string) =>
  issuer === "letsencrypt.org" ? `${issuer}; validationmethods=http-01` : issuer;

/**
 * @param args.caaIssuer domain of the certificate authority; "": no CAA record, since a wrong one forbids every certificate
 * @returns A, AAAA, HTTPS (RFC 9460: clients begin with HTTP/3) and CAA of the domain
 */
export function dnsRecords(args: {
  domain: string;
  email: string;
  caaIssuer: string;
  ipv4: string[];
  ipv6: string[];
}): DnsRecord[] {
  const { domain: name, caaIssuer } = args;
  const caa = [`0 issue "${issueValue(caaIssuer)}"`, '0 issuewild ";"', `0 iodef "mailto:${args.email}"`];
  return [
    { name, type: "A", ttl: TTL, values: args.ipv4 },
    { name, type: "AAAA", ttl: TTL, values: args.ipv6 },
    { name, type: "HTTPS", ttl: TTL, values: ['1 . alpn="h3,h2"'] },
    ...(caaIssuer ? [{ name, type: "CAA", ttl: TTL, values: caa } as const] : []),
  ];
}

/** A line as in a zone file. */
export const zoneLine = ({ name, type, ttl }: DnsRecord, value: string) =>
  `${name}. ${ttl} IN ${type} ${value}`;
