import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { named, type Tags } from "./tags.ts";
import { type Transform, transformed } from "./transform.ts";

export interface NetworkArgs {
  /** An existing VPC. Default, as "": a new one. */
  vpcId?: pulumi.Input<string>;
  /** Public subnets of the existing VPC. */
  subnetIds?: pulumi.Input<string>[];
  /** Machines run in zones that offer this type. */
  instanceType: string;
  tags: Tags;
  transform?: NetworkTransform | undefined;
}

/** Changes to the resources of a new VPC. */
export interface NetworkTransform {
  vpc?: Transform<aws.ec2.VpcArgs>;
  subnet?: Transform<aws.ec2.SubnetArgs>;
}

/** Of a VPC that the program created. */
export interface OwnVpc {
  gatewayId: pulumi.Output<string>;
  /** The /56 that AWS gave to the VPC. */
  ipv6Block: pulumi.Output<string>;
}

export interface Subnet {
  id: pulumi.Output<string>;
  /** Availability zone: a volume and its machine must be in the same one. */
  zone: pulumi.Output<string>;
}

/**
 * A VPC with public subnets in two zones, IPv4 and IPv6, or an existing one.
 *
 * Public subnets, because the machine is the edge: nothing stands in front of it, and a NAT gateway would cost more than the machine.
 *
 * ### Cost
 * Nothing: AWS does not charge for a VPC, its subnets, routes and internet gateway.
 */
export class Network extends pulumi.ComponentResource {
  readonly vpcId: pulumi.Output<string>;
  readonly subnets: Subnet[];
  /** The route to the internet. EC2 associates an address with an interface only where a gateway is attached (Gateway.NotAttached). */
  readonly ready: pulumi.Resource[];
  /** undefined: the VPC was there before. */
  readonly own: OwnVpc | undefined;

  constructor(name: string, args: NetworkArgs, opts?: pulumi.ComponentResourceOptions) {
    super("mcp-edge:aws:Network", name, {}, opts);
    if (args.vpcId) {
      this.vpcId = pulumi.output(args.vpcId);
      this.subnets = (args.subnetIds ?? []).map((id) => existing(id, this));
      this.ready = [];
    } else {
      const { vpc, subnets, ready, gateway } = create(name, args, this);
      this.ready = ready;
      this.own = { gatewayId: gateway.id, ipv6Block: vpc.ipv6CidrBlock };
      this.vpcId = vpc.id;
      this.subnets = subnets;
    }
    this.registerOutputs({ vpcId: this.vpcId, subnetIds: this.subnets.map(({ id }) => id) });
  }
}

/**
 * Check an existing network before anything is created in it. Ids that are outputs of other resources are not checked.
 * @throws Error when a subnet is in another VPC, or has no IPv6 range for the machine's address
 */
export async function assertSubnets({ vpcId, subnetIds = [] }: Pick<NetworkArgs, "vpcId" | "subnetIds">) {
  if (typeof vpcId !== "string") return;
  const known = subnetIds.filter((id) => typeof id === "string");
  const subnets = await Promise.all(known.map((id) => aws.ec2.getSubnet({ id })));
  const problems = subnets.flatMap((subnet) => [
    ...(subnet.vpcId === vpcId ? [] : [`subnet ${subnet.id} is in the VPC ${subnet.vpcId}, not in ${vpcId}`]),
    ...(subnet.ipv6CidrBlock ? [] : [`subnet ${subnet.id} has no IPv6 range: give it one, or name another`]),
  ]);
  if (problems.length > 0) throw new Error(`mcp-edge:subnetIds: ${problems.join("; ")}`);
}

function existing(id: pulumi.Input<string>, parent: pulumi.Resource): Subnet {
  const { availabilityZone } = aws.ec2.getSubnetOutput({ id }, { parent });
  return { id: pulumi.output(id), zone: availabilityZone };
}

function create(name: string, { instanceType, tags, transform }: NetworkArgs, parent: pulumi.Resource) {
  const child = { parent };
  const vpc = new aws.ec2.Vpc(
    ...transformed<aws.ec2.VpcArgs>(
      transform?.vpc,
      `${name}-vpc`,
      {
        cidrBlock: VPC_RANGE,
        assignGeneratedIpv6CidrBlock: true,
        enableDnsHostnames: true,
        enableDnsSupport: true,
        tags: named(tags, name),
      },
      child,
    ),
  );
  // The group that AWS creates with a VPC lets its members talk to each other. It has no members, and here it allows nothing.
  new aws.ec2.DefaultSecurityGroup(
    `${name}-default-group`,
    { vpcId: vpc.id, ingress: [], egress: [], tags: named(tags, `${name}-unused`) },
    child,
  );
  const gateway = new aws.ec2.InternetGateway(
    `${name}-gateway`,
    { vpcId: vpc.id, tags: named(tags, name) },
    child,
  );
  const routes = new aws.ec2.RouteTable(`${name}-routes`, { vpcId: vpc.id, tags: named(tags, name) }, child);
  const toWorld = { routeTableId: routes.id, gatewayId: gateway.id };
  const ready: pulumi.Resource[] = [
    gateway,
    new aws.ec2.Route(`${name}-route-ipv4`, { ...toWorld, destinationCidrBlock: "0.0.0.0/0" }, child),
    new aws.ec2.Route(`${name}-route-ipv6`, { ...toWorld, destinationIpv6CidrBlock: "::/0" }, child),
  ];
  const zones = zonesFor(instanceType, child);
  const subnets = ["a", "b"].map((letter, index) => {
    const subnet = new aws.ec2.Subnet(
      ...transformed<aws.ec2.SubnetArgs>(
        transform?.subnet,
        `${name}-subnet-${letter}`,
        {
          vpcId: vpc.id,
          cidrBlock: subnetRange(index),
          ipv6CidrBlock: vpc.ipv6CidrBlock.apply((block) => subnetRange6(block, index)),
          // With a single zone, both subnets are in it.
          availabilityZone: zones.apply((all) => all[index % all.length] as string),
          mapPublicIpOnLaunch: false,
          assignIpv6AddressOnCreation: false,
          tags: named(tags, `${name}-${letter}`),
        },
        // A zone that AWS opens later would shift the list, and so replace the subnet and everything in it.
        { parent, ignoreChanges: ["availabilityZone"] },
      ),
    );
    ready.push(
      new aws.ec2.RouteTableAssociation(
        `${name}-subnet-${letter}-routes`,
        { subnetId: subnet.id, routeTableId: routes.id },
        child,
      ),
    );
    return { id: subnet.id, zone: subnet.availabilityZone };
  });
  return { vpc, subnets, ready, gateway };
}

/**
 * Zones that are available and offer the type. Their letters have no meaning: AWS shuffles them for each account, and in some regions
 * one zone lacks the current generations.
 */
function zonesFor(instanceType: string, opts: pulumi.InvokeOptions): pulumi.Output<string[]> {
  const open = aws.getAvailabilityZonesOutput(
    { state: "available", filters: [{ name: "opt-in-status", values: ["opt-in-not-required"] }] },
    opts,
  );
  const offered = aws.ec2.getInstanceTypeOfferingsOutput(
    { locationType: "availability-zone", filters: [{ name: "instance-type", values: [instanceType] }] },
    opts,
  );
  return pulumi.all([open.names, offered.locations]).apply(([names, locations]) => {
    const both = names.filter((name) => locations.includes(name));
    if (both.length === 0)
      throw new Error(
        `mcp-edge:instanceType: no zone of this region offers ${instanceType} (${names.join(", ")}). Which do: ` +
          "aws ec2 describe-instance-type-offerings --location-type availability-zone",
      );
    return both;
  });
}

/** Address arithmetic of the network. Pure. */

/** Private range of a new VPC; its subnets are /24 of it. */
const VPC_RANGE = "10.20.0.0/16";

export const subnetRange = (index: number): string => `10.20.${index}.0/24`;

/**
 * The n-th /64 of the /56 that AWS gives to a VPC.
 * @param block such as 2001:db8:1234:1a00::/56
 * @throws Error when the block is not a /56
 */
export function subnetRange6(block: string, index: number): string {
  const match = /^([0-9a-f:]+)::\/56$/i.exec(block);
  if (!match?.[1]) throw new Error(`${block} is not an IPv6 range of the form 2001:db8:1234:1a00::/56`);
  const groups = match[1].split(":");
  while (groups.length < 4) groups.push("0"); // a block may end in zeros that are omitted
  const last = Number.parseInt(groups[3] ?? "0", 16) + index;
  return `${[...groups.slice(0, 3), last.toString(16)].join(":")}::/64`;
}
