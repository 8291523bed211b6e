import type { PolicyResource } from "@pulumi/policy";
import { about, type EdgePolicy, TYPE } from "../policy.ts";

/** The security group of a rule: the URN of the resource if the rule depends on one, else the group's id. */
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
    description: "The same sources may reach TCP 443 and UDP 443, over IPv4 and over IPv6.",
    reason:
      "if UDP 443 is closed, HTTP/3 fails silently: clients wait for it, then fall back, and nobody notices for months.",
    fix: "Create both rules for each source: aws.vpc.SecurityGroupIngressRule with tcp and with udp, port 443.",
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
