import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { assumedByDlm, backupPolicy } from "./identity-policy.ts";
import { named, type Tags } from "./tags.ts";

export interface BackupsArgs {
  stack: string;
  /** Daily snapshots of each data volume that are kept, 1 to 1,000. */
  count: number;
  /** ARN of a managed policy; "": none. */
  permissionsBoundary: string;
  tags: Tags;
}

/** The tag by which Data Lifecycle Manager finds the data volumes of a stack: it takes what has any one of its tags. */
export const backupTag = (stack: string): Tags => ({ Backups: `mcp-edge-${stack}` });

/** UTC; a snapshot begins within the hour after it. */
const TIME = "03:00";

/**
 * A snapshot of each data volume every night by Amazon Data Lifecycle Manager, and the role that takes it. Snapshots are
 * consistent as after a power cut, which ext4's journal and the server's write-ahead logs are made for. They lie in the region,
 * not in the volume's zone, and outlive the stack: those that are there when it is destroyed stay. How to restore one: docs/aws.md.
 *
 * ### Cost
 * 0.05 USD/GB and month of what is stored: the used blocks once, then what changed from day to day.
 */
export class Backups extends pulumi.ComponentResource {
  readonly policyId: pulumi.Output<string>;

  constructor(name: string, args: BackupsArgs, opts?: pulumi.ComponentResourceOptions) {
    super("mcp-edge:aws:Backups", name, {}, opts);
    const { stack, count, tags, permissionsBoundary } = args;
    const child = { parent: this };
    // A dot is in no stack's name: the role of a stack "x-backups" is another one.
    const label = `mcp-edge-${stack}.backups`;
    const role = new aws.iam.Role(
      `${stack}-backups-role`,
      {
        name: label,
        description: "mcp-edge: daily snapshots of the data volumes",
        assumeRolePolicy: JSON.stringify(assumedByDlm),
        ...(permissionsBoundary ? { permissionsBoundary } : {}),
        tags: named(tags, label),
      },
      child,
    );
    const policy = new aws.iam.RolePolicy(
      `${stack}-backups-role-policy`,
      { name: label, role: role.name, policy: JSON.stringify(backupPolicy(stack)) },
      child,
    );
    const schedule = new aws.dlm.LifecyclePolicy(
      `${stack}-backups`,
      {
        description: `mcp-edge ${stack} daily snapshots of the data volumes`,
        executionRoleArn: role.arn,
        state: "ENABLED",
        policyDetails: {
          resourceTypes: ["VOLUME"],
          targetTags: backupTag(stack),
          schedules: [
            {
              name: "daily",
              createRule: { interval: 24, intervalUnit: "HOURS", times: TIME },
              retainRule: { count },
              copyTags: true,
            },
          ],
        },
        tags: named(tags, label),
      },
      { parent: this, dependsOn: policy },
    );
    this.policyId = schedule.id;
    this.registerOutputs({ policyId: this.policyId });
  }
}
