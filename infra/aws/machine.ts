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
  /** An interface that exists already and has no public address. Default: a new one in `subnet`, with an Elastic IP. */
  port?: aws.ec2.NetworkInterface | undefined;
  /** Whether it forwards packets between others: EC2 then does not check that it is their source or destination. */
  forwards?: boolean | undefined;
  /** What must exist before it boots: its permissions, the objects that it pulls. */
  bootsAfter: pulumi.Input<pulumi.Resource>[];
  /** The resources that connect the machine to the internet: gateway, routes, rules. */
  reachable: pulumi.Resource[];
  profile: pulumi.Input<string>;
  image: Image;
  instanceType: string;
  /** GiB. */
  rootVolumeSize: pulumi.Input<number>;
  /** Its data volume. */
  volume?: AttachedVolume | undefined;
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

export interface AttachedVolume {
  id: pulumi.Input<string>;
  /** Names the attachment. It is the volume's and not the machine's, so that the volume is detached before another machine gets it. */
  name: string;
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
  /** For other resources that lead to the machine. It outlives the instance. */
  readonly interfaceId: pulumi.Output<string>;
  /** The Elastic IP; without one, the private address. */
  readonly ipv4: pulumi.Output<string>;
  readonly ipv6: pulumi.Output<string>;
  /** The whole machine with its volume attached. */
  readonly ready: pulumi.Resource[];

  constructor(name: string, args: MachineArgs, opts?: pulumi.ComponentResourceOptions) {
    super("mcp-edge:aws:Machine", name, {}, opts);
    const { tags, protect, transform } = args;
    const label = named(tags, args.label);
    const port = args.port ?? this.#port(name, args);
    const address = args.port ? undefined : this.#address(name, args, port);
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
          dependsOn: [...(address ? [address.association] : []), ...args.reachable, ...args.bootsAfter],
          // Interface and volume belong to one machine at a time.
          deleteBeforeReplace: true,
          // Neither causes a replacement. A replacement for another reason takes the current values of both.
          ignoreChanges: ["userDataBase64", ...(args.image.pinned ? ["ami"] : [])],
          replacementTrigger: args.replaceWith,
          customTimeouts: { create: "15m", delete: "15m" },
        },
      ),
    );
    this.instanceId = instance.id;
    this.instanceUrn = instance.urn;
    this.interfaceId = port.id;
    this.ipv4 = address?.address.publicIp ?? port.privateIp;
    this.ipv6 = port.ipv6Addresses.apply((all) => all[0] as string);
    this.ready = [instance, ...(args.volume ? [this.#attachment(args.volume, instance)] : [])];
    const { instanceId, instanceUrn, ipv4, ipv6 } = this;
    this.registerOutputs({ instanceId, instanceUrn, ipv4, ipv6 });
  }

  #port(name: string, args: MachineArgs): aws.ec2.NetworkInterface {
    const { protect, transform, tags } = args;
    return new aws.ec2.NetworkInterface(
      ...transformed<aws.ec2.NetworkInterfaceArgs>(
        transform?.networkInterface,
        `${name}-interface`,
        {
          subnetId: args.subnet.id,
          securityGroups: [args.groupId],
          ipv6AddressCount: 1,
          ...(args.forwards ? { sourceDestCheck: false } : {}),
          description: args.label.replace(/^mcp-edge-/, "mcp-edge "),
          tags: named(tags, args.label),
        },
        { parent: this, protect },
      ),
    );
  }

  #address(name: string, args: MachineArgs, port: aws.ec2.NetworkInterface) {
    const { protect, transform, tags } = args;
    const address = new aws.ec2.Eip(
      ...transformed<aws.ec2.EipArgs>(
        transform?.address,
        `${name}-address`,
        { domain: "vpc", tags: named(tags, args.label) },
        { parent: this, protect },
      ),
    );
    const association = new aws.ec2.EipAssociation(
      `${name}-address-of-interface`,
      { allocationId: address.id, networkInterfaceId: port.id },
      { parent: this, dependsOn: args.reachable },
    );
    return { address, association };
  }

  #attachment({ id, name }: AttachedVolume, instance: aws.ec2.Instance): aws.ec2.VolumeAttachment {
    return new aws.ec2.VolumeAttachment(
      `${name}-data-of-machine`,
      {
        deviceName: DEVICE,
        instanceId: instance.id,
        volumeId: id,
        // The file system is synced before the volume moves to the next machine.
        stopInstanceBeforeDetaching: true,
      },
      { parent: this, deleteBeforeReplace: true },
    );
  }
}
