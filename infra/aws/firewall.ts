import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { egressRules, ingressRules, type Rule } from "./firewall-rules.ts";
import { named, type Tags } from "./tags.ts";

export interface FirewallArgs {
  stack: string;
  vpcId: pulumi.Input<string>;
  /** Ranges that reach port 443. */
  allowedCidrs: string[];
  /** A public ACME server must reach port 80 from anywhere. */
  publicAcme: boolean;
  /** Source of the workspace: git over SSH needs to go out. */
  workspace: string;
  tags: Tags;
}

/**
 * The engine makes the group's name up. A group whose description or VPC changes is replaced while interfaces are in it: the new
 * one has to be there first, which one name for both would forbid (InvalidGroup.Duplicate). Groups that had a name of their own
 * before keep it until then: an ignored input counts for a replacement.
 */
export const MADE_UP_NAME = { ignoreChanges: ["name"] };

/**
 * The machine's security group, of standalone rules: one resource for each port, protocol and range. Inline rules are never
 * mixed in: the two ways undo each other.
 *
 * ### Cost
 * Nothing.
 */
export class Firewall extends pulumi.ComponentResource {
  readonly groupId: pulumi.Output<string>;
  /** Without its rules a machine that boots reaches nothing. */
  readonly rules: pulumi.Resource[];

  constructor(name: string, args: FirewallArgs, opts?: pulumi.ComponentResourceOptions) {
    super("mcp-edge:aws:Firewall", name, {}, opts);
    const { stack, tags } = args;
    const group = new aws.ec2.SecurityGroup(
      `${stack}-edge-group`,
      {
        description: "mcp-edge: HTTP/3, HTTP/2 and HTTP/1.1 from outside",
        vpcId: args.vpcId,
        tags: named(tags, `mcp-edge-${stack}`),
      },
      { parent: this, ...MADE_UP_NAME },
    );
    const child = { parent: this };
    const ingress = ingressRules(args.allowedCidrs, args.publicAcme).map(
      (rule) =>
        new aws.vpc.SecurityGroupIngressRule(`${stack}-${rule.name}`, inputs(rule, group.id, tags), child),
    );
    const egress = egressRules(args.workspace).map(
      (rule) =>
        new aws.vpc.SecurityGroupEgressRule(`${stack}-${rule.name}`, inputs(rule, group.id, tags), child),
    );
    this.rules = [...ingress, ...egress];
    this.groupId = group.id;
    this.registerOutputs({ groupId: this.groupId });
  }
}

function inputs(rule: Rule, securityGroupId: pulumi.Input<string>, tags: Tags) {
  const range = rule.cidr.includes(":") ? { cidrIpv6: rule.cidr } : { cidrIpv4: rule.cidr };
  return {
    securityGroupId,
    ipProtocol: rule.protocol,
    fromPort: rule.from,
    toPort: rule.to,
    ...range,
    description: rule.why,
    tags: named(tags, rule.name),
  };
}
