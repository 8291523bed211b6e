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
 * The machine's security group, of standalone rules: one resource for each port, protocol and range. Inline rules are never
 * mixed in: the two ways undo each other.
 *
 * ### Cost
 * Nothing.
 */
export class Firewall extends pulumi.ComponentResource {
  readonly groupId: pulumi.Output<string>;

  constructor(name: string, args: FirewallArgs, opts?: pulumi.ComponentResourceOptions) {
    super("mcp-edge:aws:Firewall", name, {}, opts);
    const { stack, tags } = args;
    const group = new aws.ec2.SecurityGroup(
      `${stack}-edge-group`,
      {
        name: `mcp-edge-${stack}`,
        description: "mcp-edge: HTTP/3, HTTP/2 and HTTP/1.1 from outside",
        vpcId: args.vpcId,
        tags: named(tags, `mcp-edge-${stack}`),
      },
      { parent: this },
    );
    for (const rule of ingressRules(args.allowedCidrs, args.publicAcme)) {
      new aws.vpc.SecurityGroupIngressRule(`${stack}-${rule.name}`, inputs(rule, group.id, tags), {
        parent: this,
      });
    }
    for (const rule of egressRules(args.workspace)) {
      new aws.vpc.SecurityGroupEgressRule(`${stack}-${rule.name}`, inputs(rule, group.id, tags), {
        parent: this,
      });
    }
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
