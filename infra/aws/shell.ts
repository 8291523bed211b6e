import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { MADE_UP_NAME } from "./firewall.ts";
import { named, type Tags } from "./tags.ts";

export interface ShellArgs {
  stack: string;
  vpcId: pulumi.Input<string>;
  subnetId: pulumi.Input<string>;
  /** The machine's security group: it admits the endpoint, and nobody else, on port 22. */
  machineGroupId: pulumi.Input<string>;
  tags: Tags;
}

/**
 * An EC2 Instance Connect endpoint: `mcp-edge shell` reaches sshd through AWS's own API, by IAM, with a key that lives for a
 * minute. No port is open to the world, no agent runs on the machine, and the machine's role needs no right for it; Session
 * Manager would need all three of: AWS's agent as root, a wide role for it, and a plugin beside the AWS CLI.
 *
 * ### Cost
 * Nothing for the endpoint; data between zones at 0.01 USD/GB.
 */
export class Shell extends pulumi.ComponentResource {
  readonly endpointId: pulumi.Output<string>;

  constructor(name: string, args: ShellArgs, opts?: pulumi.ComponentResourceOptions) {
    super("mcp-edge:aws:Shell", name, {}, opts);
    const { stack, tags } = args;
    const child = { parent: this };
    const group = new aws.ec2.SecurityGroup(
      `${stack}-shell-group`,
      {
        description: "mcp-edge: EC2 Instance Connect endpoint",
        vpcId: args.vpcId,
        tags: named(tags, `mcp-edge-${stack}-shell`),
      },
      { parent: this, ...MADE_UP_NAME },
    );
    const ssh = { ipProtocol: "tcp", fromPort: 22, toPort: 22 };
    new aws.vpc.SecurityGroupEgressRule(
      `${stack}-shell-out`,
      {
        ...ssh,
        securityGroupId: group.id,
        referencedSecurityGroupId: args.machineGroupId,
        description: "To sshd of the machines",
        tags: named(tags, "shell-out"),
      },
      child,
    );
    new aws.vpc.SecurityGroupIngressRule(
      `${stack}-shell-in`,
      {
        ...ssh,
        securityGroupId: args.machineGroupId,
        referencedSecurityGroupId: group.id,
        description: "mcp-edge shell, through the endpoint only",
        tags: named(tags, "shell-in"),
      },
      child,
    );
    const endpoint = new aws.ec2transitgateway.InstanceConnectEndpoint(
      `${stack}-shell-endpoint`,
      {
        subnetId: args.subnetId,
        securityGroupIds: [group.id],
        preserveClientIp: false,
        tags: named(tags, `mcp-edge-${stack}`),
      },
      // A VPC takes one endpoint: the old one goes first.
      { parent: this, deleteBeforeReplace: true },
    );
    this.endpointId = endpoint.id;
    this.registerOutputs({ endpointId: this.endpointId });
  }
}
