import { DescribeSecurityGroupRulesCommand } from "@aws-sdk/client-ec2";
import { problemOf } from "../../../../infra/policy/policies/open-ports.ts";
import { stackFilters } from "../../../aws/stack.ts";
import type { AwsCheck } from "../check.ts";
import { failOn, REFRESH } from "./problems.ts";

/** That addresses reach port 443 over TCP and UDP alike, and nothing that the policy `open-ports` forbids. */
export const firewall: AwsCheck = {
  id: "firewall",
  title: "Security group rules",
  about: "stack",
  tried: ({ settings }) => `ec2:DescribeSecurityGroupRules with the tags of ${settings.stack}`,
  async run({ aws, settings }) {
    const { SecurityGroupRules = [] } = await aws.ec2.send(
      new DescribeSecurityGroupRulesCommand({ Filters: stackFilters(settings.stack) }),
    );
    const rules = SecurityGroupRules.filter(({ IsEgress }) => IsEgress === false).map((rule) => ({
      protocol: rule.IpProtocol,
      from: rule.FromPort,
      to: rule.ToPort,
      cidrs: [rule.CidrIpv4, rule.CidrIpv6].filter(Boolean),
    }));
    const sources = (protocol: string) =>
      rules.filter((rule) => rule.protocol === protocol && rule.from === 443).flatMap(({ cidrs }) => cidrs);
    const [tcp, udp] = [sources("tcp"), sources("udp")];
    failOn([
      ...rules.flatMap((rule) => problemOf(rule) ?? []),
      ...tcp.filter((cidr) => !udp.includes(cidr)).map((cidr) => `${cidr} reaches TCP 443 and not UDP 443`),
      ...(tcp.length > 0 ? [] : ["no address reaches port 443"]),
    ]);
    return `TCP and UDP 443 from ${tcp.join(", ")}`;
  },
  fix: () => REFRESH,
};
