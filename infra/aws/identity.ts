import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { AUTO_NAMED } from "./auto-name.ts";
import { assumedByEc2, machinePolicy, type Surroundings } from "./identity-policy.ts";
import { named, type Tags } from "./tags.ts";
import { type Transform, transformed } from "./transform.ts";

export type IdentityArgs = { [K in keyof Surroundings]: pulumi.Input<NonNullable<Surroundings[K]>> } & {
  /** ARN of a managed policy. Default, as "": none. */
  permissionsBoundary?: pulumi.Input<string>;
  /** Name of the role and of the profile, from which their names in AWS are generated. Default: that of the component and `-role`. */
  roleName?: string;
  tags: Tags;
  transform?: { role?: Transform<aws.iam.RoleArgs> } | undefined;
};

/**
 * The machines' role and instance profile, with the permissions of identity-policy.ts.
 *
 * ### Cost
 * Nothing.
 */
export class Identity extends pulumi.ComponentResource {
  /** Name of the role, for further policies. */
  readonly role: pulumi.Output<string>;
  readonly profile: pulumi.Output<string>;
  /** A machine that boots before its role has this policy would only wait. */
  readonly policy: pulumi.Resource;

  constructor(name: string, args: IdentityArgs, opts?: pulumi.ComponentResourceOptions) {
    super("mcp-edge:aws:Identity", name, {}, opts);
    const { tags, permissionsBoundary, roleName = `${name}-role`, transform, ...around } = args;
    const options = { parent: this, ...AUTO_NAMED };
    const role = new aws.iam.Role(
      ...transformed<aws.iam.RoleArgs>(
        transform?.role,
        roleName,
        {
          description: "mcp-edge: a machine pulls its release and reports",
          assumeRolePolicy: JSON.stringify(assumedByEc2),
          ...(permissionsBoundary ? { permissionsBoundary } : {}),
          tags: named(tags, name),
        },
        options,
      ),
    );
    this.role = role.name;
    this.policy = new aws.iam.RolePolicy(
      `${roleName}-policy`,
      {
        role: role.name,
        policy: pulumi.output(around).apply((known) => JSON.stringify(machinePolicy(known))),
      },
      options,
    );
    const profile = new aws.iam.InstanceProfile(
      // As the role, so that one pattern in the deployer's policy covers both.
      roleName,
      { role: role.name, tags: named(tags, name) },
      { ...options, aliases: [{ name: `${name}-profile` }] },
    );
    this.profile = profile.name;
    this.registerOutputs({ role: this.role, profile: this.profile });
  }
}
