import { type Account, ApiError, arn, type Kind, newId, tagsAll } from "../kind.ts";
import { cidrProblem, oneOf, patterns } from "../limits.ts";
import { number, type Props, text } from "../values.ts";

/** Security groups and their standalone rules (EC2 API reference, AuthorizeSecurityGroupIngress). */

export const GROUP = "aws:ec2/securityGroup:SecurityGroup";
export const INGRESS = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule";
export const EGRESS = "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule";

const DESCRIPTION = /^[a-zA-Z0-9. _:/()#,@[\]+=&;{}!$*-]{0,255}$/;

export const securityGroup: Kind = {
  token: GROUP,
  replaces: ["name", "namePrefix", "description", "vpcId"],
  references: { vpcId: { token: "aws:ec2/vpc:Vpc" } },
  autoName: { input: "name", max: 255 },
  check: (inputs) => [
    ...patterns(inputs, {
      name: [
        /^(?!sg-)[a-zA-Z0-9. _:/()#,@[\]+=&;{}!$*-]{1,255}$/,
        "1 to 255 characters and not begin with sg-",
      ],
      description: [DESCRIPTION, "at most 255 of the characters a-zA-Z0-9. _-:/()#,@[]+=&;{}!$*"],
    }),
  ],
  make: (inputs, aws) => {
    const twin = aws.store
      .all(GROUP)
      .find(({ inputs: other }) => other.vpcId === inputs.vpcId && other.name === inputs.name);
    if (twin)
      throw new ApiError("InvalidGroup.Duplicate", `The security group '${inputs.name}' already exists.`);
    const id = newId("sg");
    const outs = {
      arn: arn(aws, "ec2", `security-group/${id}`),
      ownerId: aws.account,
      description: "Managed by Pulumi",
      ingress: [],
      egress: [],
      ...tagsAll(inputs),
    };
    return { id, outs };
  },
  change: (_before, inputs) => tagsAll(inputs),
  remove: ({ id }, aws) => {
    // Its rules are deleted with it.
    for (const token of [INGRESS, EGRESS]) {
      for (const rule of aws.store.all(token)) {
        if (rule.inputs.securityGroupId === id) aws.store.remove(token, rule.id);
      }
    }
  },
  converges: ["firewall"],
};

const SOURCES = ["cidrIpv4", "cidrIpv6", "prefixListId", "referencedSecurityGroupId"] as const;
const PROTOCOLS = ["-1", "tcp", "udp", "icmp", "icmpv6", "6", "17", "1", "58"];

function checkRule(inputs: Props): [string, string][] {
  const found = [
    ...oneOf(inputs, { ipProtocol: PROTOCOLS }),
    ...patterns(inputs, { description: [DESCRIPTION, "at most 255 characters that descriptions can have"] }),
  ];
  for (const [key, family] of [
    ["cidrIpv4", 4],
    ["cidrIpv6", 6],
  ] as const) {
    const what = typeof inputs[key] === "string" && cidrProblem(inputs[key], family);
    if (what) found.push([key, what]);
  }
  const given = SOURCES.filter((key) => inputs[key] !== undefined);
  if (given.length > 1) found.push([given[1] as string, `only one of ${SOURCES.join(", ")} can be given`]);
  const from = number(inputs, "fromPort");
  const to = number(inputs, "toPort");
  const protocol = text(inputs, "ipProtocol");
  if (/^(tcp|udp|6|17)$/.test(protocol)) {
    for (const port of [from, to]) {
      if (port !== undefined && (port < 0 || port > 65_535))
        found.push(["fromPort", `${port} is no port number`]);
    }
    if (from !== undefined && to !== undefined && from > to)
      found.push(["toPort", `${to} is less than fromPort`]);
  }
  if (protocol === "-1" && (from !== undefined || to !== undefined)) {
    found.push(["fromPort", "all protocols (-1) take no ports"]);
  }
  return found;
}

const meaning = (rule: Props) =>
  JSON.stringify(["securityGroupId", "ipProtocol", "fromPort", "toPort", ...SOURCES].map((key) => rule[key]));

function makeRule(token: string, inputs: Props, aws: Account) {
  if (!SOURCES.some((key) => inputs[key] !== undefined)) {
    throw new ApiError("MissingParameter", `A rule needs one of ${SOURCES.join(", ")}.`);
  }
  if (/^(tcp|udp|6|17)$/.test(text(inputs, "ipProtocol")) && inputs.fromPort === undefined) {
    throw new ApiError("InvalidParameterValue", "TCP and UDP rules need fromPort and toPort.");
  }
  const peers = aws.store.all(token);
  if (peers.some(({ inputs: other }) => meaning(other) === meaning(inputs))) {
    throw new ApiError(
      "InvalidPermission.Duplicate",
      `the specified rule "peer: ${SOURCES.map((key) => inputs[key]).find(Boolean)}, ${inputs.ipProtocol}, from port: ${inputs.fromPort}, to port: ${inputs.toPort}" already exists`,
    );
  }
  // Counted for each direction and address family by itself; a rule that names a group or a list counts in both
  // (VPC user guide, "Amazon VPC quotas").
  for (const family of ["cidrIpv4", "cidrIpv6"]) {
    const counts = (rule: Props) => rule[family] !== undefined || !(rule.cidrIpv4 ?? rule.cidrIpv6);
    const count = peers.filter(
      ({ inputs: other }) => other.securityGroupId === inputs.securityGroupId && counts(other),
    ).length;
    if (counts(inputs) && count >= 60)
      throw new ApiError(
        "RulesPerSecurityGroupLimitExceeded",
        "The maximum number of rules per security group has been reached.",
      );
  }
  const id = newId("sgr");
  return {
    id,
    outs: { arn: arn(aws, "ec2", `security-group-rule/${id}`), securityGroupRuleId: id, ...tagsAll(inputs) },
  };
}

const rule = (token: string): Kind => ({
  token,
  replaces: ["securityGroupId"],
  references: {
    securityGroupId: { token: GROUP, weak: true },
    referencedSecurityGroupId: { token: GROUP },
  },
  check: checkRule,
  make: (inputs, aws) => makeRule(token, inputs, aws),
  change: (_before, inputs) => tagsAll(inputs),
  converges: ["firewall"],
});

export const ingressRule = rule(INGRESS);
export const egressRule = rule(EGRESS);
