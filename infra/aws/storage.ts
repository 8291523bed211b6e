import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { named, type Tags } from "./tags.ts";

export interface StorageArgs {
  /** In the names of resources, and in tags: machine-names.ts. */
  machine: string;
  label: string;
  zone: pulumi.Input<string>;
  /** GiB; default of the settings: 10. */
  size: number;
  /** What a new volume is made from; "": blank. */
  snapshotId: string;
  /** Another value makes a new volume. */
  restored: pulumi.Input<string>;
  protect: boolean;
  tags: Tags;
}

/**
 * The data volume of one machine, encrypted gp3: certificates, tokens, sessions, workspace. It is no part of the machine, so
 * a replaced machine finds all of it. Guarded by the engine in prod; a snapshot is left behind where it is deleted there.
 *
 * ### Cost
 * 0.08 USD/GiB and month: 10 GiB 0.80 USD.
 */
export class Storage extends pulumi.ComponentResource {
  readonly volumeId: pulumi.Output<string>;
  readonly volumeUrn: pulumi.Output<string>;

  constructor(name: string, args: StorageArgs, opts?: pulumi.ComponentResourceOptions) {
    super("mcp-edge:aws:Storage", name, {}, opts);
    const volume = new aws.ebs.Volume(
      `${args.machine}-data`,
      {
        availabilityZone: args.zone,
        type: "gp3",
        size: args.size,
        encrypted: true,
        finalSnapshot: args.protect,
        ...(args.snapshotId ? { snapshotId: args.snapshotId } : {}),
        tags: named(args.tags, `mcp-edge-${args.label}-data`),
      },
      {
        parent: this,
        protect: args.protect,
        // To take the setting out later must not throw the restored volume away.
        ignoreChanges: ["snapshotId"],
        replacementTrigger: args.restored,
      },
    );
    this.volumeId = volume.id;
    this.volumeUrn = volume.urn;
    this.registerOutputs({ volumeId: this.volumeId });
  }
}
