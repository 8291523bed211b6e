import { type Account, ApiError, arn, type Kind, newId, tagsAll } from "../kind.ts";
import { publicAddresses } from "../machine/plan.ts";
import { type Props, text } from "../values.ts";

/** The default of "Elastic IP addresses per Region" (EC2 user guide, "Elastic IP address quota"). */
const QUOTA = 5;

/** Elastic IPs. Their addresses are of the local machine's network, where this host can reach them. */

export const EIP = "aws:ec2/eip:Eip";
export const EIP_ASSOCIATION = "aws:ec2/eipAssociation:EipAssociation";
const INSTANCE = "aws:ec2/instance:Instance";
const INTERFACE = "aws:ec2/networkInterface:NetworkInterface";

function freePublicAddress(aws: Account): string {
  if (aws.store.all(EIP).length >= QUOTA)
    throw new ApiError("AddressLimitExceeded", "The maximum number of addresses has been reached.");
  const taken = new Set(aws.store.all(EIP).map(({ outs }) => outs.publicIp));
  const free = publicAddresses(aws.store.home).find((address) => !taken.has(address));
  if (!free) throw new ApiError("AddressLimitExceeded", "The maximum number of addresses has been reached.");
  return free;
}

export const eip: Kind = {
  token: EIP,
  replaces: ["domain", "publicIpv4Pool", "networkBorderGroup", "address"],
  references: {
    instance: { token: INSTANCE, weak: true },
    networkInterface: { token: INTERFACE, weak: true },
  },
  make: (inputs, aws) => {
    const id = newId("eipalloc");
    const publicIp = freePublicAddress(aws);
    const outs = {
      arn: arn(aws, "ec2", `elastic-ip/${id}`),
      allocationId: id,
      publicIp,
      publicDns: `ec2-${publicIp.replaceAll(".", "-")}.${aws.region}.compute.amazonaws.com`,
      domain: "vpc",
      associationId: "",
      ...tagsAll(inputs),
    };
    return { id, outs };
  },
  change: (_before, inputs) => tagsAll(inputs),
  remove: ({ id }, aws) => {
    if (aws.store.all(EIP_ASSOCIATION).some(({ inputs }) => inputs.allocationId === id)) {
      throw new ApiError("InvalidIPAddress.InUse", `Address ${id} is in use.`);
    }
  },
  converges: ["firewall"],
};

/** The VPC of an association's interface. */
function networkOf(inputs: Props, aws: Account): string {
  const port = aws.store.get(INTERFACE, text(inputs, "networkInterfaceId"));
  const machine = aws.store.get(INSTANCE, text(inputs, "instanceId"));
  const subnetId = text(port?.inputs ?? machine?.outs ?? {}, "subnetId");
  return text(aws.store.get("aws:ec2/subnet:Subnet", subnetId)?.inputs ?? {}, "vpcId");
}

/** Whether a VPC has associated public addresses. If so, its gateway cannot be detached. */
export const hasPublicAddress = (aws: Account, vpcId: string) =>
  aws.store.all(EIP_ASSOCIATION).some(({ inputs }) => networkOf(inputs, aws) === vpcId);

export const eipAssociation: Kind = {
  token: EIP_ASSOCIATION,
  replaces: ["allocationId", "instanceId", "networkInterfaceId", "publicIp", "privateIpAddress"],
  references: {
    allocationId: { token: EIP, weak: true },
    instanceId: { token: INSTANCE, weak: true },
    networkInterfaceId: { token: INTERFACE, weak: true },
  },
  make: (inputs, aws) => {
    const held = aws.store
      .all(EIP_ASSOCIATION)
      .find(({ inputs: other }) => other.allocationId === inputs.allocationId);
    if (held && inputs.allowReassociation !== true) {
      throw new ApiError("Resource.AlreadyAssociated", `${inputs.allocationId} is associated already.`);
    }
    const vpcId = networkOf(inputs, aws);
    const gateways = aws.store.all("aws:ec2/internetGateway:InternetGateway");
    if (!gateways.some(({ inputs: gateway }) => gateway.vpcId === vpcId))
      throw new ApiError("Gateway.NotAttached", `Network ${vpcId} is not attached to any internet gateway`);
    if (held) aws.store.remove(EIP_ASSOCIATION, held.id);
    const address = aws.store.get(EIP, text(inputs, "allocationId"));
    return { id: newId("eipassoc"), outs: { publicIp: address?.outs.publicIp } };
  },
  converges: ["firewall"],
};
