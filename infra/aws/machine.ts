import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { isBurstable } from "../instance-types.ts";
import type { Image } from "./image.ts";
import type { Subnet } from "./network.ts";
import { named, type Tags } from "./tags.ts";
import { type Transform, transformed } from "./transform.ts";

export interface MachineArgs {
  /** The machine's name in tags (machine-names.ts). */
  label: string;
  subnet: Subnet;
  groupId: pulumi.Input<string>;
  /** The resources that connect the machine to the internet: gateway, routes, rules. */
  reachable: pulumi.Resource[];
  profile: pulumi.Input<string>;
  image: Image;
  instanceType: string;
  /** GiB. */
  rootVolumeSize: pulumi.Input<number>;
  volumeId: pulumi.Input<string>;
  /** The cloud-config document, gzip and base64. It takes effect at the first boot only. */
  userData: pulumi.Input<string>;
  /** Another value replaces the machine; the new one takes the current image and document. */
  replaceWith: pulumi.Input<string>;
  protect: boolean;
  tags: Tags;
  /** More tags of the instance itself. */
  instanceTags: Tags;
  transform?: MachineTransform | undefined;
}

export interface MachineTransform {
  instance?: Transform<aws.ec2.InstanceArgs>;
  networkInterface?: Transform<aws.ec2.NetworkInterfaceArgs>;
  address?: Transform<aws.ec2.EipArgs>;
}

/** The data volume's device in EC2. On Nitro the kernel gives it another name, so the machine finds it by the volume's id. */
const DEVICE = "/dev/sdf";

/**
 * One Debian 13 machine whose addresses outlive it. They belong to a network interface of its own, which the next machine takes over
 * together with the data volume.
 *
 * The metadata service requires IMDSv2 and answers only the machine itself (hop limit 1). An edit of user-data changes nothing on an
 * existing machine.
 *
 * ### Cost
 * t4g.small 0.0168 USD/h, 12.26 USD a month; its IPv4 address 0.005 USD/h, 3.65 USD; root volume 10 GiB 0.80 USD.
 */
export class Machine extends pulumi.ComponentResource {
  readonly instanceId: pulumi.Output<string>;
  readonly instanceUrn: pulumi.Output<string>;
  readonly ipv4: pulumi.Output<string>;
  readonly ipv6: pulumi.Output<string>;
  /** The whole machine with its volume attached. */
  readonly ready: pulumi.Resource[];

  constructor(name: string, args: MachineArgs, opts?: pulumi.ComponentResourceOptions) {
    super("mcp-edge:aws:Machine", name, {}, opts);
    const { tags, protect, transform } = args;
    const label = named(tags, args.label);
    const port = new aws.ec2.NetworkInterface(
      ...transformed<aws.ec2.NetworkInterfaceArgs>(
        transform?.networkInterface,
        `${name}-interface`,
        {
          subnetId: args.subnet.id,
          securityGroups: [args.groupId],
          ipv6AddressCount: 1,
          description: args.label.replace(/^mcp-edge-/, "mcp-edge "),
          tags: label,
        },
        { parent: this, protect },
      ),
    );
    const address = new aws.ec2.Eip(
      ...transformed<aws.ec2.EipArgs>(
        transform?.address,
        `${name}-address`,
        { domain: "vpc", tags: label },
        { parent: this, protect },
      ),
    );
    const association = new aws.ec2.EipAssociation(
      `${name}-address-of-interface`,
      { allocationId: address.id, networkInterfaceId: port.id },
      { parent: this, dependsOn: args.reachable },
    );
    const instance = new aws.ec2.Instance(
      ...transformed<aws.ec2.InstanceArgs>(
        transform?.instance,
        `${name}-machine`,
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
            tags: named(tags, `${args.label}-root`),
          },
          // T3 and T4g start without CPU credits: in standard mode the first boot would get a fifth of a processor. Unlimited mode
          // costs extra when a day's use exceeds what the type earns; an alarm reports it.
          ...(isBurstable(args.instanceType) ? { creditSpecification: { cpuCredits: "unlimited" } } : {}),
          maintenanceOptions: { autoRecovery: "default" },
          disableApiTermination: protect,
          // The protection is against everyone else; this program may replace the machine.
          forceDestroy: protect,
          tags: { ...label, ...args.instanceTags },
        },
        {
          parent: this,
          dependsOn: [association, ...args.reachable],
          // Interface and volume belong to one machine at a time.
          deleteBeforeReplace: true,
          // Neither causes a replacement. A replacement for another reason takes the current values of both.
          ignoreChanges: ["userDataBase64", ...(args.image.pinned ? ["ami"] : [])],
          replacementTrigger: args.replaceWith,
          customTimeouts: { create: "15m", delete: "15m" },
        },
      ),
    );
    const attachment = new aws.ec2.VolumeAttachment(
      `${name}-data-of-machine`,
      {
        deviceName: DEVICE,
        instanceId: instance.id,
        volumeId: args.volumeId,
        // The file system is synced before the volume moves to the next machine.
        stopInstanceBeforeDetaching: true,
      },
      { parent: this, deleteBeforeReplace: true },
    );
    this.instanceId = instance.id;
    this.instanceUrn = instance.urn;
    this.ipv4 = address.publicIp;
    this.ipv6 = port.ipv6Addresses.apply((all) => all[0] as string);
    this.ready = [instance, attachment];
    const { instanceId, instanceUrn, ipv4, ipv6 } = this;
    this.registerOutputs({ instanceId, instanceUrn, ipv4, ipv6 });
  }
}
