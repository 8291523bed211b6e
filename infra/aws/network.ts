import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { subnetRange, subnetRange6, VPC_RANGE } from "./addresses.ts";
import { named, type Tags } from "./tags.ts";

export interface NetworkArgs {
  stack: string;
  /** An existing VPC; default "": a new one. */
  vpcId: string;
  /** Its public subnets, when it exists already. */
  subnetIds: string[];
  /** Machines run in zones that offer this type. */
  instanceType: string;
  tags: Tags;
}

export interface Subnet {
  id: pulumi.Output<string>;
  /** Availability zone: a volume and its machine must be in the same one. */
  zone: pulumi.Output<string>;
}

/**
 * A VPC with public subnets in two zones, IPv4 and IPv6, or an existing one.
 *
 * Public subnets, because the machine is the edge: nothing stands before it, and a NAT gateway would cost more than the machine.
 *
 * ### Cost
 * Nothing: AWS takes no money for a VPC, its subnets, routes and internet gateway.
 */
export class Network extends pulumi.ComponentResource {
  readonly vpcId: pulumi.Output<string>;
  readonly subnets: Subnet[];
  /** The way to the world: an address is given to an interface only where a gateway is attached (EC2: Gateway.NotAttached). */
  readonly ready: pulumi.Resource[];

  constructor(name: string, args: NetworkArgs, opts?: pulumi.ComponentResourceOptions) {
    super("mcp-edge:aws:Network", name, {}, opts);
    if (args.vpcId) {
      this.vpcId = pulumi.output(args.vpcId);
      this.subnets = args.subnetIds.map((id) => existing(id, this));
      this.ready = [];
    } else {
      const { vpc, subnets, ready } = create(args, this);
      this.ready = ready;
      this.vpcId = vpc.id;
      this.subnets = subnets;
    }
    this.registerOutputs({ vpcId: this.vpcId, subnetIds: this.subnets.map(({ id }) => id) });
  }
}

/**
 * What can be wrong with an existing network, said before anything is made in it.
 * @throws Error when a subnet is of another VPC, or has no IPv6 range for the machine's address
 */
export async function assertSubnets({ vpcId, subnetIds }: Pick<NetworkArgs, "vpcId" | "subnetIds">) {
  const subnets = await Promise.all(subnetIds.map((id) => aws.ec2.getSubnet({ id })));
  const problems = subnets.flatMap((subnet) => [
    ...(subnet.vpcId === vpcId ? [] : [`subnet ${subnet.id} is in the VPC ${subnet.vpcId}, not in ${vpcId}`]),
    ...(subnet.ipv6CidrBlock ? [] : [`subnet ${subnet.id} has no IPv6 range: give it one, or name another`]),
  ]);
  if (problems.length > 0) throw new Error(`mcp-edge:subnetIds: ${problems.join("; ")}`);
}

function existing(id: string, parent: pulumi.Resource): Subnet {
  const { availabilityZone } = aws.ec2.getSubnetOutput({ id }, { parent });
  return { id: pulumi.output(id), zone: availabilityZone };
}

function create({ stack, instanceType, tags }: NetworkArgs, parent: pulumi.Resource) {
  const child = { parent };
  const label = `mcp-edge-${stack}`;
  const vpc = new aws.ec2.Vpc(
    `${stack}-vpc`,
    {
      cidrBlock: VPC_RANGE,
      assignGeneratedIpv6CidrBlock: true,
      enableDnsHostnames: true,
      enableDnsSupport: true,
      tags: named(tags, label),
    },
    child,
  );
  // The group that AWS makes with a VPC lets its members talk to each other; nobody is in it, and now it allows nothing.
  new aws.ec2.DefaultSecurityGroup(
    `${stack}-default-group`,
    { vpcId: vpc.id, ingress: [], egress: [], tags: named(tags, `${label}-unused`) },
    child,
  );
  const gateway = new aws.ec2.InternetGateway(
    `${stack}-gateway`,
    { vpcId: vpc.id, tags: named(tags, label) },
    child,
  );
  const routes = new aws.ec2.RouteTable(
    `${stack}-routes`,
    { vpcId: vpc.id, tags: named(tags, label) },
    child,
  );
  const toWorld = { routeTableId: routes.id, gatewayId: gateway.id };
  const ready: pulumi.Resource[] = [
    gateway,
    new aws.ec2.Route(`${stack}-route-ipv4`, { ...toWorld, destinationCidrBlock: "0.0.0.0/0" }, child),
    new aws.ec2.Route(`${stack}-route-ipv6`, { ...toWorld, destinationIpv6CidrBlock: "::/0" }, child),
  ];
  const zones = zonesFor(instanceType, child);
  const subnets = ["a", "b"].map((letter, index) => {
    const subnet = new aws.ec2.Subnet(
      `${stack}-subnet-${letter}`,
      {
        vpcId: vpc.id,
        cidrBlock: subnetRange(index),
        ipv6CidrBlock: vpc.ipv6CidrBlock.apply((block) => subnetRange6(block, index)),
        // With one zone alone, both subnets go there.
        availabilityZone: zones.apply((all) => all[index % all.length] as string),
        mapPublicIpOnLaunch: false,
        assignIpv6AddressOnCreation: false,
        tags: named(tags, `${label}-${letter}`),
      },
      // A zone that AWS opens later would move the list, and with it the subnet and all that is in it.
      { parent, ignoreChanges: ["availabilityZone"] },
    );
    ready.push(
      new aws.ec2.RouteTableAssociation(
        `${stack}-subnet-${letter}-routes`,
        { subnetId: subnet.id, routeTableId: routes.id },
        child,
      ),
    );
    return { id: subnet.id, zone: subnet.availabilityZone };
  });
  return { vpc, subnets, ready };
}

/**
 * Zones that are open and offer the type. Letters say nothing: AWS shuffles them by account, and in some regions one zone lacks the
 * current generations.
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
