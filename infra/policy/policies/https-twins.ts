import type { PolicyResource } from "@pulumi/policy";
import { about, type EdgePolicy, TYPE } from "../policy.ts";

/** The security group of a rule: the resource that it comes from, else its id. */
const groupOf = (rule: PolicyResource): string =>
  rule.propertyDependencies.securityGroupId?.[0]?.urn ?? rule.props.securityGroupId;

/** Sources that reach port 443, each with the URN of its rule, by security group and protocol. */
function sourcesOf443(resources: PolicyResource[]): Map<string, Record<"tcp" | "udp", Map<string, string>>> {
  const groups = new Map<string, Record<"tcp" | "udp", Map<string, string>>>();
  for (const rule of resources.filter(({ type }) => type === TYPE.ingress)) {
    const protocol: unknown = rule.props.ipProtocol;
    if (rule.props.fromPort !== 443 || (protocol !== "tcp" && protocol !== "udp")) continue;
    const source = rule.props.cidrIpv4 || rule.props.cidrIpv6 || rule.props.referencedSecurityGroupId;
    if (!source) continue;
    const group = groupOf(rule);
    const sources = groups.get(group) ?? { tcp: new Map(), udp: new Map() };
    groups.set(group, sources);
    sources[protocol].set(source, rule.urn);
  }
  return groups;
}

export const httpsTwins: EdgePolicy = () => ({
  ...about({
    name: "https-twins",
    severity: "high",
    description: "Whoever reaches TCP 443 reaches UDP 443 and the other way round, over IPv4 and over IPv6.",
    reason:
      "a closed UDP 443 makes HTTP/3 fail silently; every client then waits for it and falls back, for months unnoticed.",
    mend: "Make both rules for each source: aws.vpc.SecurityGroupIngressRule with tcp and with udp, port 443.",
  }),
  validateStack: ({ resources }, report) => {
    for (const [, { tcp, udp }] of sourcesOf443(resources)) {
      for (const [source, urn] of tcp)
        if (!udp.has(source)) report(`${source} reaches TCP 443 and not UDP 443`, urn);
      for (const [source, urn] of udp)
        if (!tcp.has(source)) report(`${source} reaches UDP 443 and not TCP 443`, urn);
    }
  },
});
