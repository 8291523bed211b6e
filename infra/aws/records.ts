/** The DNS records of the edge as plain data. They are created in Route 53, or printed for the administrator of the zone. Pure. */
export interface DnsRecord {
  name: string;
  type: "A" | "AAAA" | "HTTPS" | "CAA";
  /** Seconds. */
  ttl: number;
  values: string[];
}

/** One TTL for address and HTTPS records, so that hints in a cached HTTPS record never outlive the addresses. Seconds. */
export const TTL = 300;

/**
 * Who may issue certificates for the domain (RFC 8659). Let's Encrypt is limited to the validation method that the machine uses (RFC 8657);
 * other CAs may not support that parameter.
 */
const issueValue = (issuer: string, challenge: string) =>
  issuer === "letsencrypt.org" ? `${issuer}; validationmethods=${challenge}` : issuer;

/**
 * @param args.names the domain, and the token domain if there is one
 * @param args.caaIssuer domain of the certificate authority. "": no CAA record, because a wrong one forbids every certificate
 * @param args.acmeChallenge `http-01` or `dns-01`
 * @returns the A, AAAA, HTTPS (RFC 9460: clients start with HTTP/3) and CAA records of each name
 */
export function dnsRecords(args: {
  names: string[];
  email: string;
  caaIssuer: string;
  acmeChallenge: string;
  ipv4: string[];
  ipv6: string[];
}): DnsRecord[] {
  const { caaIssuer, acmeChallenge } = args;
  const caa = [
    `0 issue "${issueValue(caaIssuer, acmeChallenge)}"`,
    '0 issuewild ";"',
    `0 iodef "mailto:${args.email}"`,
  ];
  return args.names.flatMap((name) => [
    { name, type: "A", ttl: TTL, values: args.ipv4 },
    { name, type: "AAAA", ttl: TTL, values: args.ipv6 },
    { name, type: "HTTPS", ttl: TTL, values: ['1 . alpn="h3,h2"'] },
    ...(caaIssuer ? [{ name, type: "CAA", ttl: TTL, values: caa } as const] : []),
  ]);
}

/**
 * Whether a set of CAA records lets the authority issue for the name by the machine's challenge (RFC 8659, RFC 8657). Pure.
 * @param values as Route 53 has them: `0 issue "letsencrypt.org; validationmethods=http-01"`. A set without `issue` forbids nothing
 */
export function caaAllows(values: readonly string[], issuer: string, challenge: string): boolean {
  const issue = values
    .map((value) => /^\d+ issue "(.*)"$/.exec(value)?.[1])
    .filter((one) => one !== undefined);
  return (
    issue.length === 0 ||
    issue.some((text) => {
      const [name, ...parameters] = text.split(";").map((part) => part.trim());
      const methods = parameters.find((part) => part.startsWith("validationmethods="));
      return name === issuer && (methods?.split("=")[1]?.split(",").includes(challenge) ?? true);
    })
  );
}

/** One value as a line of a zone file. */
export const zoneLine = ({ name, type, ttl }: DnsRecord, value: string) =>
  `${name}. ${ttl} IN ${type} ${value}`;
