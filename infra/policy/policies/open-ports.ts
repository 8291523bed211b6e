import { about, type EdgePolicy, on, TYPE } from "../policy.ts";

/** Ports that any address may reach, by protocol. */
const OPEN: Record<string, readonly number[]> = { tcp: [80, 443], udp: [443] };

export interface Rule {
  protocol: unknown;
  from: unknown;
  to: unknown;
  cidrs: unknown[];
}

/** EC2 accepts protocols by name and by number. */
const NAMES: Record<string, string> = { "6": "tcp", "17": "udp", "1": "icmp", "58": "icmpv6" };

/** What is wrong with a rule, or undefined. Rules between security groups have no CIDR and always pass. */
export function problemOf({ protocol, from, to, cidrs }: Rule): string | undefined {
  if (cidrs.length === 0) return undefined;
  const name = NAMES[String(protocol)] ?? String(protocol).toLowerCase();
  if (name === "icmp" || name === "icmpv6") return undefined;
  const sources = cidrs.join(", ");
  if (name === "-1" || name === "all") return `${sources} may reach every port`;
  const [low, high] = [Number(from), Number(to ?? from)];
  if (low === high && OPEN[name]?.includes(low)) return undefined;
  const ports = low === high ? `port ${low}` : `ports ${low} to ${high}`;
  const shell = name === "tcp" && low <= 22 && 22 <= high ? "; for a shell, use `mcp-edge shell`" : "";
  return `${sources} may reach ${name} ${ports}${shell}`;
}

export const openPorts: EdgePolicy = () => ({
  ...about({
    name: "open-ports",
    severity: "critical",
    description: "The internet may reach TCP 443, UDP 443 and TCP 80, and nothing else; never port 22.",
    reason: "the edge serves HTTP and answers ACME challenges. Any other open port only adds attack surface.",
    fix: "Remove the rule. For a shell, use `mcp-edge shell`: it needs no open port.",
  }),
  validateResource: [
    on(TYPE.ingress, (props, _, report) => {
      const cidrs = [props.cidrIpv4, props.cidrIpv6, props.prefixListId].filter(Boolean);
      const problem = problemOf({
        protocol: props.ipProtocol,
        from: props.fromPort,
        to: props.toPort,
        cidrs,
      });
      if (problem) report(problem);
    }),
    ...[TYPE.securityGroup, TYPE.defaultSecurityGroup].map((type) =>
      on(type, (props, _, report) => {
        for (const rule of props.ingress ?? []) {
          const cidrs = [...(rule.cidrBlocks ?? []), ...(rule.ipv6CidrBlocks ?? [])];
          const problem = problemOf({ protocol: rule.protocol, from: rule.fromPort, to: rule.toPort, cidrs });
          if (problem) report(problem);
        }
      }),
    ),
    on(TYPE.securityGroupRule, (props, _, report) => {
      if (props.type !== "ingress") return;
      const cidrs = [...(props.cidrBlocks ?? []), ...(props.ipv6CidrBlocks ?? [])];
      const problem = problemOf({ protocol: props.protocol, from: props.fromPort, to: props.toPort, cidrs });
      if (problem) report(problem);
    }),
  ],
});
