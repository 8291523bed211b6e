import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { AUTO_NAMED } from "./auto-name.ts";
import { egressRules, ingressRules, type Rule } from "./firewall-rules.ts";
import { named, type Tags } from "./tags.ts";
import { type Transform, transformed } from "./transform.ts";

export interface FirewallArgs {
  vpcId: pulumi.Input<string>;
  /** Ranges that reach port 443. */
  allowedCidrs: string[];
  /** Whether the ACME server is public: it must reach port 80 from any address. */
  publicAcme: boolean;
  /** Source of the workspace. Git over SSH needs an egress rule. */
  workspace: string;
  /** Description of the group, and the end of its name. Default: those of a machine that faces the internet. */
  group?: { suffix: string; description: string };
  tags: Tags;
  transform?: { securityGroup?: Transform<aws.ec2.SecurityGroupArgs> } | undefined;
}

const EDGE_GROUP = {
  suffix: "edge-group",
  description: "mcp-edge: HTTP/3, HTTP/2 and HTTP/1.1 from outside",
};

/**
 * The machine's security group with standalone rules: one resource for each port, protocol and range. Inline rules must not be
 * mixed in, because the two forms undo each other.
 *
 * ### Cost
 * Nothing.
 */
export class Firewall extends pulumi.ComponentResource {
  readonly groupId: pulumi.Output<string>;
  /** The rules, without which a booting machine has no network. */
  readonly rules: pulumi.Resource[];

  constructor(name: string, args: FirewallArgs, opts?: pulumi.ComponentResourceOptions) {
    super("mcp-edge:aws:Firewall", name, {}, opts);
    const { tags, group: about = EDGE_GROUP } = args;
    const group = new aws.ec2.SecurityGroup(
      ...transformed<aws.ec2.SecurityGroupArgs>(
        args.transform?.securityGroup,
        `${name}-${about.suffix}`,
        {
          description: about.description,
          vpcId: args.vpcId,
          tags: named(tags, name),
        },
        { parent: this, ...AUTO_NAMED },
      ),
    );
    const child = { parent: this };
    const ingress = ingressRules(args.allowedCidrs, args.publicAcme).map(
      (rule) =>
        new aws.vpc.SecurityGroupIngressRule(`${name}-${rule.name}`, inputs(rule, group.id, tags), child),
    );
    const egress = egressRules(args.workspace).map(
      (rule) =>
        new aws.vpc.SecurityGroupEgressRule(`${name}-${rule.name}`, inputs(rule, group.id, tags), child),
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
