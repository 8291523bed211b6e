import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { AUTO_NAMED } from "./auto-name.ts";
import { assumedByDlm, backupPolicy } from "./identity-policy.ts";
import { named, type Tags } from "./tags.ts";
import { type Transform, transformed } from "./transform.ts";

export interface BackupsArgs {
  stack: string;
  /** Daily snapshots of each data volume that are kept, 1 to 1,000. */
  count: pulumi.Input<number>;
  /** The tag of the volumes (backupTag). */
  targetTags: Tags;
  /** ARN of a managed policy. Default, as "": none. */
  permissionsBoundary?: pulumi.Input<string>;
  tags: Tags;
  transform?: { role?: Transform<aws.iam.RoleArgs> } | undefined;
}

/** The tag by which Data Lifecycle Manager finds the data volumes of an edge. It selects volumes that have any of its target tags. */
export const backupTag = (edge: string): Tags => ({ Backups: edge });

/** UTC. A snapshot begins within the hour after it. */
const TIME = "03:00";

/**
 * A snapshot of each data volume every night by Amazon Data Lifecycle Manager, and the role that takes it. A snapshot is consistent
 * as after a power failure, from which ext4's journal and the server's write-ahead logs recover. Snapshots are in the region, not in the
 * volume's zone, and outlive the stack. How to restore one: docs/aws.md.
 *
 * ### Cost
 * 0.05 USD/GB stored a month: the used blocks once, then the changes of each day.
 */
export class Backups extends pulumi.ComponentResource {
  readonly policyId: pulumi.Output<string>;

  constructor(name: string, args: BackupsArgs, opts?: pulumi.ComponentResourceOptions) {
    super("mcp-edge:aws:Backups", name, {}, opts);
    const { stack, count, tags, targetTags, permissionsBoundary } = args;
    const role = new aws.iam.Role(
      ...transformed<aws.iam.RoleArgs>(
        args.transform?.role,
        // Not `-backups-role`: the machines' role of a stack "x-backups" would start with that.
        `${name}-dlm`,
        {
          description: "mcp-edge: daily snapshots of the data volumes",
          assumeRolePolicy: JSON.stringify(assumedByDlm),
          ...(permissionsBoundary ? { permissionsBoundary } : {}),
          tags: named(tags, `${name}.backups`),
        },
        { parent: this, ...AUTO_NAMED, aliases: [{ name: `${name}-backups-role` }] },
      ),
    );
    const policy = new aws.iam.RolePolicy(
      `${name}-dlm-policy`,
      { role: role.name, policy: JSON.stringify(backupPolicy(stack)) },
      { parent: this, ...AUTO_NAMED, aliases: [{ name: `${name}-backups-role-policy` }] },
    );
    const schedule = new aws.dlm.LifecyclePolicy(
      `${name}-backups`,
      {
        description: `${name.replace(/^mcp-edge-/, "mcp-edge ")} daily snapshots of the data volumes`,
        executionRoleArn: role.arn,
        state: "ENABLED",
        policyDetails: {
          resourceTypes: ["VOLUME"],
          targetTags,
          schedules: [
            {
              name: "daily",
              createRule: { interval: 24, intervalUnit: "HOURS", times: TIME },
              retainRule: { count },
              copyTags: true,
            },
          ],
        },
        tags: named(tags, `${name}.backups`),
      },
      { parent: this, dependsOn: policy },
    );
    this.policyId = schedule.id;
    this.registerOutputs({ policyId: this.policyId });
  }
}
