import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { assumedByEc2, machinePolicy, type Surroundings } from "./identity-policy.ts";
import { named, type Tags } from "./tags.ts";

export type IdentityArgs = { [K in keyof Surroundings]: pulumi.Input<Surroundings[K]> } & {
  stack: string;
  /** ARN of a managed policy; "": none. */
  permissionsBoundary: string;
  tags: Tags;
};

/**
 * The machines' role and instance profile, with the rights in identity-policy.ts.
 *
 * ### Cost
 * Nothing.
 */
export class Identity extends pulumi.ComponentResource {
  readonly profile: pulumi.Output<string>;
  /** A machine that boots before its role has these rights would only wait. */
  readonly policy: pulumi.Resource;

  constructor(name: string, args: IdentityArgs, opts?: pulumi.ComponentResourceOptions) {
    super("mcp-edge:aws:Identity", name, {}, opts);
    const { stack, tags, permissionsBoundary, ...around } = args;
    const child = { parent: this };
    const label = `mcp-edge-${stack}`;
    const role = new aws.iam.Role(
      `${stack}-role`,
      {
        name: label,
        description: "mcp-edge: a machine pulls its release and reports",
        assumeRolePolicy: JSON.stringify(assumedByEc2),
        ...(permissionsBoundary ? { permissionsBoundary } : {}),
        tags: named(tags, label),
      },
      child,
    );
    this.policy = new aws.iam.RolePolicy(
      `${stack}-role-policy`,
      {
        name: label,
        role: role.name,
        policy: pulumi.output({ stack, ...around }).apply((known) => JSON.stringify(machinePolicy(known))),
      },
      child,
    );
    const profile = new aws.iam.InstanceProfile(
      `${stack}-profile`,
      { name: label, role: role.name, tags: named(tags, label) },
      child,
    );
    this.profile = profile.name;
    this.registerOutputs({ profile: this.profile });
  }
}
