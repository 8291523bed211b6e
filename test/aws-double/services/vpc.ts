import { type Account, ApiError, arn, type Kind, newId, tagsAll } from "../kind.ts";
import { addressAt, type Cidr, cidrProblem, contains, overlaps, parseCidr } from "../limits.ts";
import { vpcBlock } from "../machine/plan.ts";
import { object, objects, type Props, text } from "../values.ts";
import { hasPublicAddress } from "./addresses.ts";
import { ensureServiceRole } from "./service-roles.ts";

/** EC2's network: VPCs, subnets, gateways, routes (EC2 and VPC API reference). */

const VPC = "aws:ec2/vpc:Vpc";
const SUBNET = "aws:ec2/subnet:Subnet";
const GATEWAY = "aws:ec2/internetGateway:InternetGateway";
const TABLE = "aws:ec2/routeTable:RouteTable";

const problem = (key: string, what: string | undefined): [string, string][] => (what ? [[key, what]] : []);

/** Amazon's /56 for a VPC, or one of this host's if the cloud runs on it. */
function amazonBlock(aws: Account): string {
  const taken = new Set(aws.store.all(VPC).map(({ outs }) => outs.ipv6CidrBlock));
  for (let n = 0; n < 50; n++) {
    const block = vpcBlock(aws.store.home, n);
    if (!taken.has(block)) return block;
  }
  throw new ApiError("VpcLimitExceeded", "The maximum number of VPCs has been reached.");
}

export const vpc: Kind = {
  token: VPC,
  replaces: ["cidrBlock", "instanceTenancy"],
  check: (inputs) =>
    typeof inputs.cidrBlock === "string"
      ? problem("cidrBlock", cidrProblem(inputs.cidrBlock, 4, [16, 28]))
      : [],
  make: (inputs, aws) => {
    const id = newId("vpc");
    const ipv6CidrBlock = inputs.assignGeneratedIpv6CidrBlock === true ? amazonBlock(aws) : "";
    return {
      id,
      outs: {
        arn: arn(aws, "ec2", `vpc/${id}`),
        ownerId: aws.account,
        ipv6CidrBlock,
        ipv6AssociationId: ipv6CidrBlock ? newId("vpc-cidr-assoc") : "",
        defaultSecurityGroupId: newId("sg"),
        defaultRouteTableId: newId("rtb"),
        mainRouteTableId: newId("rtb"),
        defaultNetworkAclId: newId("acl"),
        enableDnsSupport: true,
        enableDnsHostnames: false,
        instanceTenancy: "default",
        ...tagsAll(inputs),
      },
    };
  },
  change: (_before, inputs) => tagsAll(inputs),
};

function subnetBlock(inputs: Props, aws: Account, key: "cidrBlock" | "ipv6CidrBlock"): void {
  const block = parseCidr(text(inputs, key));
  if (!block) return;
  const mother = aws.store.get(VPC, text(inputs, "vpcId"));
  const range = parseCidr(text(mother?.outs ?? {}, key));
  if (!range || !contains(range, block)) {
    throw new ApiError(
      "InvalidSubnet.Range",
      `The CIDR '${inputs[key]}' is invalid: it is not in the VPC's.`,
    );
  }
  const sisters = aws.store.all(SUBNET).filter(({ inputs: other }) => other.vpcId === inputs.vpcId);
  for (const { inputs: other } of sisters) {
    const theirs = parseCidr(text(other, key));
    if (theirs && overlaps(theirs, block)) {
      throw new ApiError(
        "InvalidSubnet.Conflict",
        `The CIDR '${inputs[key]}' conflicts with another subnet.`,
      );
    }
  }
}

export const subnet: Kind = {
  token: SUBNET,
  replaces: ["vpcId", "cidrBlock", "availabilityZone", "availabilityZoneId", "ipv6Native"],
  references: { vpcId: { token: VPC } },
  check: (inputs) => [
    ...(typeof inputs.cidrBlock === "string"
      ? problem("cidrBlock", cidrProblem(inputs.cidrBlock, 4, [16, 28]))
      : []),
    ...(typeof inputs.ipv6CidrBlock === "string"
      ? problem("ipv6CidrBlock", cidrProblem(inputs.ipv6CidrBlock, 6, [44, 64]))
      : []),
  ],
  make: (inputs, aws) => {
    if (inputs.cidrBlock === undefined && inputs.ipv6Native !== true) {
      throw new ApiError("MissingParameter", "The request must contain the parameter cidrBlock.");
    }
    subnetBlock(inputs, aws, "cidrBlock");
    subnetBlock(inputs, aws, "ipv6CidrBlock");
    const zone = text(inputs, "availabilityZone");
    if (zone && !zone.startsWith(aws.region)) {
      throw new ApiError(
        "InvalidParameterValue",
        `Value (${zone}) for parameter availabilityZone is invalid.`,
      );
    }
    const id = newId("subnet");
    return {
      id,
      outs: {
        arn: arn(aws, "ec2", `subnet/${id}`),
        ownerId: aws.account,
        availabilityZone: zone || `${aws.region}a`,
        ipv6CidrBlockAssociationId: inputs.ipv6CidrBlock ? newId("subnet-cidr-assoc") : "",
        mapPublicIpOnLaunch: false,
        assignIpv6AddressOnCreation: false,
        ...tagsAll(inputs),
      },
    };
  },
  change: (_before, inputs) => tagsAll(inputs),
  converges: ["network"],
};

/** The n-th free address of a subnet's block; the first four and the last one are AWS's. */
export function freeAddress(block: Cidr, taken: Set<string>, from = 4): string {
  for (let n = from; n < from + 250; n++) {
    const address = addressAt(block, n);
    if (!taken.has(address)) return address;
  }
  throw new ApiError("InsufficientFreeAddressesInSubnet", "The subnet has no free address.");
}

export const internetGateway: Kind = {
  token: GATEWAY,
  replaces: [],
  references: { vpcId: { token: VPC } },
  make: (inputs, aws) => {
    const vpcId = text(inputs, "vpcId");
    if (vpcId && aws.store.all(GATEWAY).some(({ inputs: other }) => other.vpcId === vpcId)) {
      throw new ApiError(
        "Resource.AlreadyAssociated",
        `The network ${vpcId} already has an internet gateway attached.`,
      );
    }
    const id = newId("igw");
    const outs = { arn: arn(aws, "ec2", `internet-gateway/${id}`), ownerId: aws.account, ...tagsAll(inputs) };
    return { id, outs };
  },
  change: (_before, inputs) => tagsAll(inputs),
  remove: ({ id, inputs }, aws) => {
    const subnets = aws.store.all(SUBNET).filter(({ inputs: one }) => one.vpcId === inputs.vpcId);
    const ids = new Set(subnets.map((one) => one.id));
    const mapped = aws.store
      .all("aws:ec2/instance:Instance")
      .some((one) => ids.has(text(one.outs, "subnetId")) && text(one.outs, "publicIp") !== "");
    if (mapped || hasPublicAddress(aws, text(inputs, "vpcId"))) {
      throw new ApiError(
        "DependencyViolation",
        `Network ${inputs.vpcId} has some mapped public address(es). Unmap them before ${id} is detached.`,
      );
    }
  },
};

const TARGETS = ["gatewayId", "egressOnlyGatewayId", "natGatewayId", "networkInterfaceId", "vpcEndpointId"];

function checkRoute(route: Props): [string, string][] {
  const destinations = ["destinationCidrBlock", "destinationIpv6CidrBlock", "destinationPrefixListId"];
  const found: [string, string][] = [];
  if (typeof route.destinationCidrBlock === "string")
    found.push(...problem("destinationCidrBlock", cidrProblem(route.destinationCidrBlock, 4)));
  if (typeof route.destinationIpv6CidrBlock === "string")
    found.push(...problem("destinationIpv6CidrBlock", cidrProblem(route.destinationIpv6CidrBlock, 6)));
  if (destinations.filter((key) => route[key]).length > 1)
    found.push(["destinationCidrBlock", `only one of ${destinations.join(", ")} can be given`]);
  return found;
}

export const routeTable: Kind = {
  token: TABLE,
  replaces: ["vpcId"],
  references: { vpcId: { token: VPC } },
  check: (inputs) =>
    objects(inputs, "routes").flatMap(({ cidrBlock, ipv6CidrBlock, ...rest }) =>
      checkRoute({
        ...rest,
        destinationCidrBlock: cidrBlock,
        destinationIpv6CidrBlock: ipv6CidrBlock,
      }).map(([, why]): [string, string] => ["routes", why]),
    ),
  make: (inputs, aws) => {
    const id = newId("rtb");
    const outs = {
      arn: arn(aws, "ec2", `route-table/${id}`),
      ownerId: aws.account,
      routes: [],
      propagatingVgws: [],
      ...tagsAll(inputs),
    };
    return { id, outs };
  },
  change: (_before, inputs) => tagsAll(inputs),
};

export const route: Kind = {
  token: "aws:ec2/route:Route",
  replaces: ["routeTableId", "destinationCidrBlock", "destinationIpv6CidrBlock", "destinationPrefixListId"],
  references: {
    routeTableId: { token: TABLE, weak: true },
    gatewayId: { token: GATEWAY, weak: true },
    networkInterfaceId: { token: "aws:ec2/networkInterface:NetworkInterface", weak: true },
  },
  check: checkRoute,
  make: (inputs, aws) => {
    if (TARGETS.filter((key) => inputs[key]).length !== 1)
      throw new ApiError("InvalidParameterCombination", `A route needs one of ${TARGETS.join(", ")}.`);
    const destination = text(inputs, "destinationCidrBlock") || text(inputs, "destinationIpv6CidrBlock");
    const id = `r-${text(inputs, "routeTableId")}-${destination}`;
    if (aws.store.get("aws:ec2/route:Route", id)) {
      throw new ApiError("RouteAlreadyExists", `The route identified by ${destination} already exists.`);
    }
    return { id, outs: { origin: "CreateRoute", state: "active" } };
  },
  converges: ["firewall"],
};

export const routeTableAssociation: Kind = {
  token: "aws:ec2/routeTableAssociation:RouteTableAssociation",
  replaces: ["subnetId", "gatewayId"],
  references: {
    routeTableId: { token: TABLE },
    subnetId: { token: SUBNET, weak: true },
    gatewayId: { token: GATEWAY, weak: true },
  },
  make: (inputs, aws) => {
    const others = aws.store.all("aws:ec2/routeTableAssociation:RouteTableAssociation");
    const target = text(inputs, "subnetId") || text(inputs, "gatewayId");
    if (others.some(({ inputs: other }) => [other.subnetId, other.gatewayId].includes(target))) {
      throw new ApiError("Resource.AlreadyAssociated", `${target} is associated with a table already.`);
    }
    if (inputs.gatewayId !== undefined) checkGatewayTable(text(inputs, "routeTableId"), aws);
    return { id: newId("rtbassoc"), outs: {} };
  },
  converges: ["firewall"],
};

/** The table of a gateway leads to ranges of the VPC alone: the whole of it, or whole subnets (VPC user guide, "Gateway route tables"). */
function checkGatewayTable(id: string, aws: Account): void {
  const { vpcId } = aws.store.get(TABLE, id)?.inputs ?? {};
  const subnets = aws.store.all(SUBNET).filter(({ inputs }) => inputs.vpcId === vpcId);
  const ranges = subnets.flatMap(({ inputs }) => [inputs.cidrBlock, inputs.ipv6CidrBlock]);
  for (const { inputs } of aws.store.all(route.token)) {
    if (inputs.routeTableId !== id) continue;
    const to = inputs.destinationCidrBlock ?? inputs.destinationIpv6CidrBlock;
    if (!ranges.includes(to))
      throw new ApiError("InvalidParameterValue", `The destination ${to} of ${id} is no subnet of ${vpcId}.`);
  }
}

/** A gateway endpoint adds routes to tables; only S3 and DynamoDB have one (VPC user guide, "Gateway endpoints"). */
export const vpcEndpoint: Kind = {
  token: "aws:ec2/vpcEndpoint:VpcEndpoint",
  replaces: ["vpcId", "serviceName", "vpcEndpointType"],
  references: { vpcId: { token: VPC }, routeTableIds: { token: TABLE, weak: true } },
  check: (inputs) =>
    inputs.vpcEndpointType === undefined || inputs.vpcEndpointType === "Gateway"
      ? problem(
          "serviceName",
          typeof inputs.serviceName === "string" &&
            !/^com\.amazonaws\.[a-z0-9-]+\.(s3|dynamodb)$/.test(inputs.serviceName)
            ? `the service ${inputs.serviceName} has no gateway endpoint`
            : undefined,
        )
      : [],
  make: (inputs, aws) => {
    if (!text(inputs, "serviceName").includes(`.${aws.region}.`))
      throw new ApiError(
        "InvalidServiceName",
        `The Vpc Endpoint Service '${inputs.serviceName}' does not exist`,
      );
    const id = newId("vpce");
    const outs = {
      arn: arn(aws, "ec2", `vpc-endpoint/${id}`),
      ownerId: aws.account,
      state: "available",
      prefixListId: newId("pl"),
      cidrBlocks: ["198.51.100.0/24"],
      ...tagsAll(inputs),
    };
    return { id, outs };
  },
  change: (_before, inputs) => tagsAll(inputs),
};

/** The default security group, which each VPC has from its creation. The provider only adopts its rules. */
export const defaultSecurityGroup: Kind = {
  token: "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup",
  replaces: ["vpcId"],
  references: { vpcId: { token: VPC, weak: true } },
  make: (inputs, aws) => {
    const mother = object({ ...aws.store.get(VPC, text(inputs, "vpcId")) }, "outs");
    const id = text(mother, "defaultSecurityGroupId");
    const outs = {
      arn: arn(aws, "ec2", `security-group/${id}`),
      name: "default",
      description: "default VPC security group",
      ownerId: aws.account,
      ingress: [],
      egress: [],
      ...tagsAll(inputs),
    };
    return { id, outs };
  },
  change: (_before, inputs) => tagsAll(inputs),
};

/** EC2 Instance Connect's endpoint, at most one for each VPC (EC2 user guide, "EC2 Instance Connect Endpoint quotas"). */
export const connectEndpoint: Kind = {
  token: "aws:ec2transitgateway/instanceConnectEndpoint:InstanceConnectEndpoint",
  replaces: ["subnetId", "securityGroupIds", "preserveClientIp", "ipAddressType"],
  references: {
    subnetId: { token: SUBNET },
    securityGroupIds: { token: "aws:ec2/securityGroup:SecurityGroup" },
  },
  make: (inputs, aws) => {
    const vpcOf = (subnetId: unknown) => aws.store.get(SUBNET, String(subnetId))?.inputs.vpcId;
    const mine = vpcOf(inputs.subnetId);
    const others = aws.store.all(connectEndpoint.token);
    if (others.some(({ inputs: other }) => vpcOf(other.subnetId) === mine))
      throw new ApiError("InstanceConnectEndpointLimitExceeded", `${mine} has an endpoint already.`);
    ensureServiceRole(aws, "ec2-instance-connect.amazonaws.com");
    const id = newId("eice");
    const outs = {
      arn: arn(aws, "ec2", `instance-connect-endpoint/${id}`),
      ownerId: aws.account,
      vpcId: mine,
      availabilityZone: aws.store.get(SUBNET, text(inputs, "subnetId"))?.outs.availabilityZone,
      dnsName: `${id}.ec2-instance-connect-endpoint.${aws.region}.amazonaws.com`,
      fipsDnsName: "",
      networkInterfaceIds: [newId("eni")],
      ...tagsAll(inputs),
    };
    return { id, outs };
  },
  change: (_before, inputs) => tagsAll(inputs),
};
