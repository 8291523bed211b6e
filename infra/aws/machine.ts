import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { isBurstable } from "../instance-types.ts";
import type { Image } from "./image.ts";
import type { Subnet } from "./network.ts";
import { named, type Tags } from "./tags.ts";

export interface MachineArgs {
  /** In the names of resources, and in tags: machine-names.ts. */
  machine: string;
  label: string;
  subnet: Subnet;
  groupId: pulumi.Input<string>;
  /** What the machine needs to reach the world, and the world it: gateway, routes, rules. */
  reachable: pulumi.Resource[];
  profile: pulumi.Input<string>;
  image: Image;
  instanceType: string;
  /** GiB. */
  rootVolumeSize: number;
  volumeId: pulumi.Input<string>;
  /** gzip of the cloud-config document, base64. Counts at the first boot only. */
  userData: pulumi.Input<string>;
  /** Another value replaces the machine, with the image and the document of that time. */
  replaceWith: pulumi.Input<string>;
  protect: boolean;
  tags: Tags;
}

/** Where EC2 shows the data volume; on Nitro the kernel names it otherwise, so the machine goes by the volume's id. */
const DEVICE = "/dev/sdf";

/**
 * One Debian 13 machine with addresses that outlive it: they belong to a network interface of its own, which the next
 * machine takes over, with the data volume.
 *
 * The metadata service wants IMDSv2 and answers no further than the machine itself (hop limit 1). An edit of user-data
 * changes nothing on a machine that is there.
 *
 * ### Cost
 * t4g.small 0.0168 USD/h, 12.26 USD a month; its IPv4 address 0.005 USD/h, 3.65 USD; root volume 10 GiB 0.80 USD.
 */
export class Machine extends pulumi.ComponentResource {
  readonly instanceId: pulumi.Output<string>;
  readonly instanceUrn: pulumi.Output<string>;
  readonly ipv4: pulumi.Output<string>;
  readonly ipv6: pulumi.Output<string>;
  /** The whole machine, with its volume attached. */
  readonly ready: pulumi.Resource[];

  constructor(name: string, args: MachineArgs, opts?: pulumi.ComponentResourceOptions) {
    super("mcp-edge:aws:Machine", name, {}, opts);
    const { machine, tags, protect } = args;
    const label = named(tags, `mcp-edge-${args.label}`);
    const port = new aws.ec2.NetworkInterface(
      `${machine}-interface`,
      {
        subnetId: args.subnet.id,
        securityGroups: [args.groupId],
        ipv6AddressCount: 1,
        description: `mcp-edge ${args.label}`,
        tags: label,
      },
      { parent: this, protect },
    );
    const address = new aws.ec2.Eip(
      `${machine}-address`,
      { domain: "vpc", tags: label },
      { parent: this, protect },
    );
    const association = new aws.ec2.EipAssociation(
      `${machine}-address-of-interface`,
      { allocationId: address.id, networkInterfaceId: port.id },
      { parent: this, dependsOn: args.reachable },
    );
    const instance = new aws.ec2.Instance(
      `${machine}-machine`,
      {
        ami: args.image.id,
        instanceType: args.instanceType,
        primaryNetworkInterface: { networkInterfaceId: port.id },
        iamInstanceProfile: args.profile,
        userDataBase64: args.userData,
        userDataReplaceOnChange: true,
        metadataOptions: { httpEndpoint: "enabled", httpTokens: "required", httpPutResponseHopLimit: 1 },
        rootBlockDevice: {
          volumeType: "gp3",
          volumeSize: args.rootVolumeSize,
          encrypted: true,
          deleteOnTermination: true,
          tags: named(tags, `mcp-edge-${args.label}-root`),
        },
        // T3 and T4g begin without a credit: in standard mode the first boot would have a fifth of a processor. Unlimited is paid
        // for when the use of a day is above what the type earns in it; an alarm tells.
        ...(isBurstable(args.instanceType) ? { creditSpecification: { cpuCredits: "unlimited" } } : {}),
        maintenanceOptions: { autoRecovery: "default" },
        disableApiTermination: protect,
        // Protection is against everybody else; this program may replace the machine when the settings say so.
        forceDestroy: protect,
        tags: label,
      },
      {
        parent: this,
        dependsOn: [association, ...args.reachable],
        // Interface and volume belong to one machine at a time.
        deleteBeforeReplace: true,
        // Neither replaces a machine by itself; a replacement for another reason takes both as they are then.
        ignoreChanges: ["userDataBase64", ...(args.image.pinned ? ["ami"] : [])],
        replacementTrigger: args.replaceWith,
        customTimeouts: { create: "15m", delete: "15m" },
      },
    );
    const attachment = new aws.ec2.VolumeAttachment(
      `${machine}-data-of-machine`,
      {
        deviceName: DEVICE,
        instanceId: instance.id,
        volumeId: args.volumeId,
        // The file system is written out before the volume goes to the next machine.
        stopInstanceBeforeDetaching: true,
      },
      { parent: this, deleteBeforeReplace: true },
    );
    this.instanceId = instance.id;
    this.instanceUrn = instance.urn;
    this.ipv4 = address.publicIp;
    this.ipv6 = port.ipv6Addresses.apply((all) => all[0] as string);
    this.ready = [instance, attachment];
    this.registerOutputs({ instanceId: this.instanceId, ipv4: this.ipv4, ipv6: this.ipv6 });
  }
}
