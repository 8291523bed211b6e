import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { type OwnVpc, type Subnet, subnetRange, subnetRange6 } from "./network.ts";
import { groupRules } from "./passthrough-rules.ts";
import { named, type Tags } from "./tags.ts";
import { type Transform, transformed } from "./transform.ts";

export interface PassthroughArgs {
  /** The name of the origin in tags (machine-names.ts). */
  label: string;
  region: string;
  vpcId: pulumi.Input<string>;
  own: OwnVpc;
  /** Zone of the edge and of the origin's data volume. */
  zone: pulumi.Input<string>;
  edgeGroupId: pulumi.Input<string>;
  originGroupId: pulumi.Input<string>;
  tags: Tags;
  transform?:
    | { subnet?: Transform<aws.ec2.SubnetArgs>; networkInterface?: Transform<aws.ec2.NetworkInterfaceArgs> }
    | undefined;
}

/** Index of the private subnet: the public ones count from 0. */
const PRIVATE = 128;

/**
 * The private network behind an edge that forwards packets (`edge: passthrough`): the origin's subnet, whose only way in and out is the
 * edge's network interface.
 *
 * The edge changes the destination of a packet and keeps its source, so the origin sees the address of the client. The responses therefore
 * have to return through the edge, which knows the flows: both default routes of the subnet lead to the edge's interface. The interface
 * outlives the edge's instance, and with it the routes.
 *
 * The origin has an IPv6 address that is valid on the internet, and an internet gateway delivers packets to every address of its VPC. A
 * route table of the gateway sends the packets for this subnet to the edge as well ("middlebox routing", VPC user guide), whose firewall
 * drops what no client or origin has opened through it.
 *
 * ### Cost
 * Nothing: no NAT gateway (33 USD a month), and the gateway endpoint of S3 is free. Interface endpoints for SSM, CloudWatch and its logs
 * would cost 7.30 USD each a month; these few requests go through the edge.
 */
export class Passthrough extends pulumi.ComponentResource {
  readonly subnet: Subnet;
  /** The origin's interface, whose addresses are in the files of the edge. It outlives the origin's instance. */
  readonly port: aws.ec2.NetworkInterface;
  /** What connects the subnet, apart from the routes through the edge. */
  readonly ready: pulumi.Resource[];
  readonly #name: string;
  readonly #args: PassthroughArgs;
  readonly #routes: aws.ec2.RouteTable;
  readonly #range6: pulumi.Output<string>;

  constructor(name: string, args: PassthroughArgs, opts?: pulumi.ComponentResourceOptions) {
    super("mcp-edge:aws:Passthrough", name, {}, opts);
    this.#name = name;
    this.#args = args;
    const { tags, vpcId, transform } = args;
    const child = { parent: this };
    const label = named(tags, args.label);
    this.#range6 = args.own.ipv6Block.apply((block) => subnetRange6(block, PRIVATE));
    const subnet = new aws.ec2.Subnet(
      ...transformed<aws.ec2.SubnetArgs>(
        transform?.subnet,
        `${name}-subnet`,
        {
          vpcId,
          cidrBlock: subnetRange(PRIVATE),
          ipv6CidrBlock: this.#range6,
          availabilityZone: args.zone,
          mapPublicIpOnLaunch: false,
          assignIpv6AddressOnCreation: false,
          tags: label,
        },
        child,
      ),
    );
    this.#routes = new aws.ec2.RouteTable(`${name}-routes`, { vpcId, tags: label }, child);
    const association = new aws.ec2.RouteTableAssociation(
      `${name}-subnet-routes`,
      { subnetId: subnet.id, routeTableId: this.#routes.id },
      child,
    );
    // The origin fetches releases of 60 MB without a detour through the edge, and also while the edge is replaced.
    const s3 = new aws.ec2.VpcEndpoint(
      `${name}-s3`,
      {
        vpcId,
        serviceName: `com.amazonaws.${args.region}.s3`,
        vpcEndpointType: "Gateway",
        routeTableIds: [this.#routes.id],
        tags: label,
      },
      child,
    );
    this.port = new aws.ec2.NetworkInterface(
      ...transformed<aws.ec2.NetworkInterfaceArgs>(
        transform?.networkInterface,
        `${name}-interface`,
        {
          subnetId: subnet.id,
          securityGroups: [args.originGroupId],
          ipv6AddressCount: 1,
          description: args.label.replace(/^mcp-edge-/, "mcp-edge "),
          tags: label,
        },
        child,
      ),
    );
    this.subnet = { id: subnet.id, zone: subnet.availabilityZone };
    this.ready = [association, s3, ...this.#groupRules()];
    this.registerOutputs({ subnetId: subnet.id, interfaceId: this.port.id });
  }

  /** What the groups of edge and origin allow each other, beside what both allow to clients. */
  #groupRules(): pulumi.Resource[] {
    const { edgeGroupId, originGroupId, tags } = this.#args;
    return groupRules.map(({ name, direction, why, ...range }) => {
      const rule = {
        ...range,
        securityGroupId: edgeGroupId,
        referencedSecurityGroupId: originGroupId,
        description: why,
        tags: named(tags, name),
      };
      const id = `${this.#name}-${name}`;
      return direction === "ingress"
        ? new aws.vpc.SecurityGroupIngressRule(id, rule, { parent: this })
        : new aws.vpc.SecurityGroupEgressRule(id, rule, { parent: this });
    });
  }

  /**
   * The routes of the origin's subnet, and of the internet gateway to it.
   * @param networkInterfaceId of the edge
   * @returns the routes: without them, the origin's first boot reaches nothing
   */
  through(networkInterfaceId: pulumi.Input<string>): pulumi.Resource[] {
    const { own, vpcId, tags } = this.#args;
    const child = { parent: this };
    const name = this.#name;
    const toEdge = { routeTableId: this.#routes.id, networkInterfaceId };
    const gateway = new aws.ec2.RouteTable(
      `${name}-gateway-routes`,
      { vpcId, tags: named(tags, `${this.#args.label}.gateway`) },
      child,
    );
    return [
      new aws.ec2.Route(`${name}-route-ipv4`, { ...toEdge, destinationCidrBlock: "0.0.0.0/0" }, child),
      new aws.ec2.Route(`${name}-route-ipv6`, { ...toEdge, destinationIpv6CidrBlock: "::/0" }, child),
      new aws.ec2.Route(
        `${name}-gateway-route-ipv6`,
        { routeTableId: gateway.id, networkInterfaceId, destinationIpv6CidrBlock: this.#range6 },
        child,
      ),
      new aws.ec2.RouteTableAssociation(
        `${name}-gateway-of-routes`,
        { gatewayId: own.gatewayId, routeTableId: gateway.id },
        child,
      ),
    ];
  }
}
