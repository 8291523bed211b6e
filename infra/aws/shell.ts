import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { AUTO_NAMED } from "./auto-name.ts";
import { named, type Tags } from "./tags.ts";

export interface ShellArgs {
  vpcId: pulumi.Input<string>;
  subnetId: pulumi.Input<string>;
  /** Security groups of the machines, each with a part of the names of its rules. They admit the endpoint alone on port 22. */
  machineGroups: { part: string; id: pulumi.Input<string> }[];
  tags: Tags;
}

/**
 * An EC2 Instance Connect endpoint: `mcp-edge shell` reaches sshd through AWS's own API, by IAM, with a key that is valid for
 * a minute. No port is open to the world, no agent runs on the machine, and the machine's role needs no permission. Session Manager
 * would need AWS's agent as root, a wide role for the agent, and a plugin for the AWS CLI.
 *
 * ### Cost
 * Nothing for the endpoint; data between zones at 0.01 USD/GB.
 */
export class Shell extends pulumi.ComponentResource {
  readonly endpointId: pulumi.Output<string>;

  constructor(name: string, args: ShellArgs, opts?: pulumi.ComponentResourceOptions) {
    super("mcp-edge:aws:Shell", name, {}, opts);
    const { tags } = args;
    const child = { parent: this };
    const group = new aws.ec2.SecurityGroup(
      `${name}-shell-group`,
      {
        description: "mcp-edge: EC2 Instance Connect endpoint",
        vpcId: args.vpcId,
        tags: named(tags, `${name}-shell`),
      },
      { parent: this, ...AUTO_NAMED },
    );
    const ssh = { ipProtocol: "tcp", fromPort: 22, toPort: 22 };
    for (const { part, id } of args.machineGroups) {
      new aws.vpc.SecurityGroupEgressRule(
        `${name}-${part}-out`,
        {
          ...ssh,
          securityGroupId: group.id,
          referencedSecurityGroupId: id,
          description: "To sshd of the machines",
          tags: named(tags, `${part}-out`),
        },
        child,
      );
      new aws.vpc.SecurityGroupIngressRule(
        `${name}-${part}-in`,
        {
          ...ssh,
          securityGroupId: id,
          referencedSecurityGroupId: group.id,
          description: "mcp-edge shell, through the endpoint only",
          tags: named(tags, `${part}-in`),
        },
        child,
      );
    }
    const endpoint = new aws.ec2transitgateway.InstanceConnectEndpoint(
      `${name}-shell-endpoint`,
      {
        subnetId: args.subnetId,
        securityGroupIds: [group.id],
        preserveClientIp: false,
        tags: named(tags, name),
      },
      // A VPC has one endpoint at most, so the old one is deleted first.
      { parent: this, deleteBeforeReplace: true },
    );
    this.endpointId = endpoint.id;
    this.registerOutputs({ endpointId: this.endpointId });
  }
}
