import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { named, type Tags } from "./tags.ts";
import { type Transform, transformed } from "./transform.ts";

export interface StorageArgs {
  /** The machine's name in tags (machine-names.ts). */
  label: string;
  zone: pulumi.Input<string>;
  /** GiB; default of the settings: 10. */
  size: pulumi.Input<number>;
  /** The snapshot that a new volume is created from; "" for a blank volume. */
  snapshotId: string;
  /** Another value replaces the volume. */
  restored: pulumi.Input<string>;
  protect: boolean;
  tags: Tags;
  transform?: { volume?: Transform<aws.ebs.VolumeArgs> } | undefined;
}

/**
 * The data volume of one machine, encrypted gp3: certificates, tokens, sessions, workspace. It is not part of the machine, so a
 * replacement machine has all of it. With `protect` the engine protects it, and its deletion creates a snapshot first.
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
      ...transformed<aws.ebs.VolumeArgs>(
        args.transform?.volume,
        `${name}-data`,
        {
          availabilityZone: args.zone,
          type: "gp3",
          size: args.size,
          encrypted: true,
          finalSnapshot: args.protect,
          ...(args.snapshotId ? { snapshotId: args.snapshotId } : {}),
          tags: named(args.tags, `${args.label}-data`),
        },
        {
          parent: this,
          protect: args.protect,
          // Removing the setting later must not replace the restored volume.
          ignoreChanges: ["snapshotId"],
          replacementTrigger: args.restored,
        },
      ),
    );
    this.volumeId = volume.id;
    this.volumeUrn = volume.urn;
    this.registerOutputs({ volumeId: this.volumeId, volumeUrn: this.volumeUrn });
  }
}
