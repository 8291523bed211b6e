/** The rules of the machine's firewall as plain data. Pure. */
export interface Rule {
  /** Part of the resource's name. It changes only with the meaning of the rule. */
  name: string;
  direction: "ingress" | "egress";
  protocol: "tcp" | "udp" | "icmp" | "icmpv6";
  /** Port; for ICMP the type. */
  from: number;
  /** Port; for ICMP the code, -1 for all. */
  to: number;
  cidr: string;
  why: string;
}

const WORLD = ["0.0.0.0/0", "::/0"];

/** Whether Route 53's health checkers can connect. Their addresses are all over the world. */
export const opensToWorld = (allowed: string[]) => allowed.includes("0.0.0.0/0");

const isV6 = (cidr: string) => cidr.includes(":");

/** "ipv4" and "ipv6" for the world, or else the range without the characters that a resource's name must not have. */
function slug(cidr: string): string {
  if (cidr === "0.0.0.0/0") return "ipv4";
  if (cidr === "::/0") return "ipv6";
  return cidr.replaceAll("::", "--").replaceAll(/[:/.]/g, "-");
}

type Kind = Omit<Rule, "name" | "cidr" | "to"> & { to?: number; label?: string };

/** The rules of one kind, one for each range. `to` and the label in the name default to `from`. */
const rules = (cidrs: string[], { label, to, ...kind }: Kind): Rule[] =>
  cidrs.map((cidr) => ({
    ...kind,
    to: to ?? kind.from,
    name: `${kind.direction}-${kind.protocol}-${label ?? kind.from}-${slug(cidr)}`,
    cidr,
  }));

/**
 * The ingress rules, one for each port, protocol and range: HTTP, and HTTPS always over both TCP and QUIC.
 * Port 22 has none, since `mcp-edge shell` connects through the VPC (shell.ts).
 * @param allowed ranges that reach port 443
 * @param publicAcme whether the ACME server is public: it validates over port 80 from unknown addresses (RFC 8555, 10.2)
 */
export function ingressRules(allowed: string[], publicAcme: boolean): Rule[] {
  const direction = "ingress";
  const http = publicAcme ? WORLD : allowed;
  const all = [...allowed, ...http];
  const families = (v6: boolean) =>
    WORLD.filter((world) => isV6(world) === v6 && all.some((one) => isV6(one) === v6));
  return [
    ...rules(allowed, { direction, protocol: "tcp", from: 443, why: "HTTPS: HTTP/2 and HTTP/1.1" }),
    ...rules(allowed, { direction, protocol: "udp", from: 443, why: "HTTPS: HTTP/3 over QUIC" }),
    ...rules(http, { direction, protocol: "tcp", from: 80, why: "ACME validation, redirect to HTTPS" }),
    // Any router may report that a packet was too big. Without this, path MTU discovery fails silently.
    ...rules(families(false), {
      direction,
      protocol: "icmp",
      from: 3,
      to: 4,
      label: "mtu",
      why: "Path MTU: fragmentation needed",
    }),
    ...rules(families(true), {
      direction,
      protocol: "icmpv6",
      from: 2,
      to: 0,
      label: "mtu",
      why: "Path MTU: packet too big",
    }),
  ];
}

/**
 * How much of the quota "rules per security group" the ingress rules use. AWS counts each address family by itself, and a rule
 * that references a group in both (VPC user guide, "Amazon VPC quotas").
 * @param groups how many rules allow a group: that of the Instance Connect endpoint, that of an origin
 * @returns the larger count of both families
 */
export function ingressQuota(allowed: string[], publicAcme: boolean, groups: number): number {
  const v6 = ingressRules(allowed, publicAcme).map(({ cidr }) => isV6(cidr));
  const of = (family: boolean) => v6.filter((one) => one === family).length + groups;
  return Math.max(of(true), of(false));
}

/** The egress rules, each with its reason. Security groups do not filter AWS's addresses for DNS and time. */
export function egressRules(workspace: string): Rule[] {
  const direction = "egress";
  const ssh = /^ssh:|^[\w.-]+@[\w.-]+:/.test(workspace) ? WORLD : [];
  return [
    ...rules(WORLD, {
      direction,
      protocol: "tcp",
      from: 443,
      why: "Bucket, parameters, ACME, git over HTTPS",
    }),
    ...rules(WORLD, { direction, protocol: "tcp", from: 80, why: "Debian packages, signed by Debian" }),
    // Responses to any port. AWS then tracks no UDP flow, so it does not drop an idle QUIC connection after 180 s
    // (EC2 user guide, "Security group connection tracking", untracked connections).
    ...rules(WORLD, {
      direction,
      protocol: "udp",
      from: 0,
      to: 65_535,
      label: "quic",
      why: "Answers of QUIC, untracked",
    }),
    ...rules(ssh, { direction, protocol: "tcp", from: 22, why: "The workspace: git over SSH" }),
  ];
}
