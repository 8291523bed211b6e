import { imageOf } from "../images.ts";
import { type Account, ApiError, arn, type Kind, newId, tagsAll } from "../kind.ts";
import { oneOf, parseCidr, ranges } from "../limits.ts";
import { bootInstance, instanceRuns, terminateInstance } from "../machine/instance.ts";
import { privateAddresses } from "../machine/plan.ts";
import type { Stored } from "../store.ts";
import { object, objects, type Props, text, texts } from "../values.ts";
import { refusalIn } from "./offerings.ts";
import { freeAddress } from "./vpc.ts";

/** EC2 instances and network interfaces (EC2 API reference, RunInstances; user guide, "Instance user data"). */

export const INSTANCE = "aws:ec2/instance:Instance";
export const INTERFACE = "aws:ec2/networkInterface:NetworkInterface";
const SUBNET = "aws:ec2/subnet:Subnet";
const GROUP = "aws:ec2/securityGroup:SecurityGroup";

/** EC2's limit applies before base64. */
const USER_DATA_LIMIT = 16_384;

/** Families without Nitro (EC2 user guide, "Instances built on the Nitro System"). EC2 would run them, but the boot would wait for ever. */
const XEN = /^(t[12]|m[1-4]|c[1-4]|cc2|cr1|r[34]|i2|d2|g[23]|p[23]|x1e?|f1|h1|hs1|cg1)\./;

const ARM = /^(a1|[a-z]+\d+g[a-z-]*|x2gd|im4gn|is4gen)\./;
const architectureOf = (type: string) => (ARM.test(type) ? "arm64" : "x86_64");

function userDataOf(inputs: Props): Buffer {
  if (inputs.userDataBase64 !== undefined) return Buffer.from(text(inputs, "userDataBase64"), "base64");
  return Buffer.from(text(inputs, "userData"));
}

function problems(inputs: Props): [string, string][] {
  const found: [string, string][] = [];
  const metadata = object(inputs, "metadataOptions");
  found.push(
    ...oneOf(metadata, { httpTokens: ["optional", "required"], httpEndpoint: ["enabled", "disabled"] }),
    ...ranges(metadata, { httpPutResponseHopLimit: [1, 64] }),
  );
  if (inputs.userData !== undefined && inputs.userDataBase64 !== undefined)
    found.push(["userDataBase64", "userData and userDataBase64 exclude each other"]);
  const base64 = inputs.userDataBase64;
  if (typeof base64 === "string" && !/^[A-Za-z0-9+/]*={0,2}$/.test(base64))
    found.push(["userDataBase64", "is no base64"]);
  const size = userDataOf(inputs).length;
  if (size > USER_DATA_LIMIT)
    found.push(["userDataBase64", `User data is limited to ${USER_DATA_LIMIT} bytes, this has ${size}`]);
  const type = inputs.instanceType;
  if (typeof type === "string" && !/^[a-z][a-z0-9-]*\.(nano|micro|small|medium|metal|\d*x?large)$/.test(type))
    found.push(["instanceType", `"${type}" is no instance type`]);
  if (typeof type === "string" && XEN.test(type))
    found.push([
      "instanceType",
      `${type} runs on Xen: its volumes are no NVMe devices, which the machine's first boot waits for`,
    ]);
  const root = object(inputs, "rootBlockDevice");
  found.push(
    ...ranges(root, { volumeSize: [8, 65_536] }).map(
      ([, why]) => ["rootBlockDevice", why] as [string, string],
    ),
  );
  return found;
}

const interfaceIdOf = (inputs: Props) =>
  text(object(inputs, "primaryNetworkInterface"), "networkInterfaceId") ||
  text(objects(inputs, "networkInterfaces")[0] ?? {}, "networkInterfaceId");

/** The place of a subnet among those of its VPC, by their ranges. */
function numberOf(subnet: Stored | undefined, aws: Account): number {
  const first = ({ inputs }: Stored) => parseCidr(text(inputs, "cidrBlock"))?.first ?? 0n;
  const sisters = aws.store.all(SUBNET).filter(({ inputs }) => inputs.vpcId === subnet?.inputs.vpcId);
  return subnet ? sisters.filter((other) => first(other) < first(subnet)).length : 0;
}

/** The addresses of a new interface in a subnet: those of the inputs, or the next free ones. */
function addresses(inputs: Props, subnetId: string, aws: Account) {
  const taken = new Set(
    [...aws.store.all(INSTANCE), ...aws.store.all(INTERFACE)].flatMap(({ outs }) => [
      text(outs, "privateIp"),
      ...texts(outs, "ipv6Addresses"),
    ]),
  );
  const subnet = aws.store.get(SUBNET, subnetId);
  const free = privateAddresses(aws.store.home, numberOf(subnet, aws)).find((one) => !taken.has(one));
  const privateIp = text(inputs, "privateIp") || free || "";
  const block = parseCidr(text(subnet?.inputs ?? {}, "ipv6CidrBlock"));
  const asked = texts(inputs, "ipv6Addresses");
  const wanted =
    inputs.ipv6AddressCount ?? (subnet?.inputs.assignIpv6AddressOnCreation === true && block ? 1 : 0);
  if (Number(wanted) > 0 && !block)
    throw new ApiError("InvalidParameterValue", `The subnet ${subnetId} has no IPv6 CIDR block.`);
  const ipv6Addresses = [...asked];
  while (block && ipv6Addresses.length < Number(wanted)) {
    ipv6Addresses.push(freeAddress(block, new Set([...taken, ...ipv6Addresses]), 16));
  }
  return { privateIp, ipv6Addresses };
}

function sameNetwork(groups: string[], subnetId: string, aws: Account): void {
  const vpcId = aws.store.get(SUBNET, subnetId)?.inputs.vpcId;
  for (const id of groups) {
    if (aws.store.get(GROUP, id)?.inputs.vpcId !== vpcId)
      throw new ApiError(
        "InvalidParameter",
        `Security group ${id} and subnet ${subnetId} are of different networks.`,
      );
  }
}

export const networkInterface: Kind = {
  token: INTERFACE,
  replaces: ["subnetId", "interfaceType", "privateIp"],
  references: { subnetId: { token: SUBNET }, securityGroups: { token: GROUP } },
  make: (inputs, aws) => {
    const id = newId("eni");
    const subnetId = text(inputs, "subnetId");
    const groups = texts(inputs, "securityGroups");
    sameNetwork(groups, subnetId, aws);
    const found = addresses(inputs, subnetId, aws);
    const outs = {
      arn: arn(aws, "ec2", `network-interface/${id}`),
      ownerId: aws.account,
      macAddress: `0a:${id.slice(-10).replace(/(..)(?=.)/g, "$1:")}`,
      privateDnsName: "",
      privateIps: [found.privateIp],
      sourceDestCheck: inputs.sourceDestCheck ?? true,
      ...found,
      ...tagsAll(inputs),
    };
    return { id, outs };
  },
  change: (_before, inputs) => ({ sourceDestCheck: inputs.sourceDestCheck ?? true, ...tagsAll(inputs) }),
  remove: ({ id }, aws) => {
    if (aws.store.all(INSTANCE).some(({ inputs }) => interfaceIdOf(inputs) === id))
      throw new ApiError("InvalidNetworkInterface.InUse", `${id} is currently in use.`);
  },
  converges: ["firewall"],
};

function checkImage(inputs: Props, aws: Account): void {
  const image = imageOf(aws.region, text(inputs, "ami"));
  if (!image) throw new ApiError("InvalidAMIID.NotFound", `The image id '[${inputs.ami}]' does not exist.`);
  const theirs = architectureOf(text(inputs, "instanceType"));
  if (image.architecture !== theirs) {
    throw new ApiError(
      "InvalidParameterValue",
      `The architecture '${theirs}' of the specified instance type does not match the architecture '${image.architecture}' of the specified AMI.`,
    );
  }
}

function placeOf(inputs: Props, aws: Account) {
  const interfaceId = interfaceIdOf(inputs);
  const own = interfaceId === "" ? undefined : aws.store.get(INTERFACE, interfaceId);
  if (interfaceId !== "" && !own)
    throw new ApiError("InvalidNetworkInterfaceID.NotFound", `The ID '${interfaceId}' does not exist.`);
  const holder = aws.store.all(INSTANCE).find((one) => interfaceIdOf(one.inputs) === interfaceId);
  if (own && holder)
    throw new ApiError("InvalidNetworkInterface.InUse", `${interfaceId} is in use by ${holder.id}.`);
  if (own && (inputs.subnetId || texts(inputs, "vpcSecurityGroupIds").length > 0))
    throw new ApiError(
      "InvalidParameterCombination",
      "Network interfaces and an instance-level subnet ID or security groups may not be specified on the same request.",
    );
  const subnetId = text(own?.inputs ?? inputs, "subnetId");
  if (subnetId === "") throw new ApiError("MissingInput", "No subnet: there is no default VPC.");
  const zone = text(aws.store.get(SUBNET, subnetId)?.outs ?? {}, "availabilityZone");
  const found = own
    ? { privateIp: text(own.outs, "privateIp"), ipv6Addresses: texts(own.outs, "ipv6Addresses") }
    : addresses(inputs, subnetId, aws);
  const groups = own ? texts(own.inputs, "securityGroups") : texts(inputs, "vpcSecurityGroupIds");
  sameNetwork(groups, subnetId, aws);
  return {
    ...found,
    subnetId,
    availabilityZone: zone,
    vpcSecurityGroupIds: groups,
    primaryNetworkInterfaceId: interfaceId || newId("eni"),
  };
}

export const instance: Kind = {
  token: INSTANCE,
  replaces: [
    ..."ami availabilityZone subnetId privateIp keyName associatePublicIpAddress ipv6Addresses".split(" "),
    ..."ipv6AddressCount networkInterfaces primaryNetworkInterface ebsBlockDevices hibernation".split(" "),
    ..."enclaveOptions tenancy placementGroup".split(" "),
  ],
  replacesWhen: (before, after) => [
    ...(after.userDataReplaceOnChange === true &&
    (before.userData !== after.userData || before.userDataBase64 !== after.userDataBase64)
      ? ["userDataBase64"]
      : []),
    ...(object(before, "rootBlockDevice").encrypted !== object(after, "rootBlockDevice").encrypted
      ? ["rootBlockDevice"]
      : []),
  ],
  references: {
    subnetId: { token: SUBNET },
    vpcSecurityGroupIds: { token: GROUP },
    iamInstanceProfile: { token: "aws:iam/instanceProfile:InstanceProfile" },
  },
  check: problems,
  without: (inputs, denied) => {
    if (denied.some(({ action }) => action === "ec2:CreateTags"))
      inputs.rootBlockDevice = { ...object(inputs, "rootBlockDevice"), tags: {} };
  },
  make: async (inputs, aws) => {
    checkImage(inputs, aws);
    const place = placeOf(inputs, aws);
    const type = text(inputs, "instanceType");
    const refusal = refusalIn(aws, type, place.availabilityZone);
    if (refusal === "Unsupported")
      throw new ApiError(
        refusal,
        `Your requested instance type (${type}) is not supported in your requested Availability Zone (${place.availabilityZone}).`,
      );
    if (refusal)
      throw new ApiError(
        refusal,
        `We currently do not have sufficient ${type} capacity in the Availability Zone you requested (${place.availabilityZone}).`,
      );
    const id = newId("i");
    const made = {
      id,
      outs: {
        arn: arn(aws, "ec2", `instance/${id}`),
        instanceState: "running",
        privateDns: `ip-${place.privateIp.replaceAll(".", "-")}.${aws.region}.compute.internal`,
        publicIp: "",
        publicDns: "",
        instanceLifecycle: "",
        tenancy: "default",
        monitoring: false,
        launchTime: new Date().toISOString(),
        ...place,
        ...tagsAll(inputs),
      },
    };
    const { ipv6Addresses, privateIp } = place;
    await bootInstance(aws.store.home, {
      id,
      ipv4: privateIp,
      ipv6: ipv6Addresses[0] ?? "",
      userData: userDataOf(inputs),
      architecture: architectureOf(text(inputs, "instanceType")),
    });
    return made;
  },
  change: (_before, inputs) => tagsAll(inputs),
  read: async ({ id }, aws) => {
    const runs = await instanceRuns(aws.store.home, id);
    return runs === undefined ? {} : { instanceState: runs ? "running" : "stopped" };
  },
  remove: async ({ id, inputs }, aws) => {
    // The provider's forceDestroy removes the protection first.
    if (inputs.disableApiTermination === true && inputs.forceDestroy !== true) {
      throw new ApiError(
        "OperationNotPermitted",
        `The instance '${id}' may not be terminated. Modify its 'disableApiTermination' instance attribute and try again.`,
      );
    }
    await terminateInstance(aws.store.home, id);
  },
  converges: ["firewall"],
};
