import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { named, type Tags } from "./tags.ts";

export interface StorageArgs {
  /** Of one machine: `<stack>` and, from the second on, its number. */
  machine: string;
  zone: pulumi.Input<string>;
  /** GiB; default of the settings: 10. */
  size: number;
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
        tags: named(args.tags, `mcp-edge-${args.machine}-data`),
      },
      { parent: this, protect: args.protect },
    );
    this.volumeId = volume.id;
    this.registerOutputs({ volumeId: this.volumeId });
  }
}
