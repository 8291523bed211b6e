import { createHash } from "node:crypto";
import * as pulumi from "@pulumi/pulumi";

/** The resource options that the program passes to the engine. */
export interface Options {
  parent: string;
  protect: boolean;
  deleteBeforeReplace: boolean;
  ignoreChanges: string[];
  /** As JSON; "": none. */
  replacementTrigger: string;
  dependencies: string[];
  /** Inputs that are wrapped as secrets on their way to the engine. */
  secrets: string[];
}

/** A resource that the program requested. */
export interface RequestedResource {
  type: string;
  name: string;
  id: string;
  inputs: Record<string, unknown>;
  /** Outputs as the mock gave them. */
  state: Record<string, unknown>;
  options: Options;
}

const hex = (name: string) => createHash("sha256").update(name).digest("hex").slice(0, 17);

/** A name as the engine generates it from a resource's own. */
const generated = (name: string) => `${name}-0a1b2c3`;

/** Outputs that AWS computes and the program reads. */
function computed(type: string, name: string, inputs: Record<string, unknown>): Record<string, unknown> {
  switch (type) {
    case "aws:ec2/vpc:Vpc":
      return { ipv6CidrBlock: "2600:1f18:1234:5600::/56" };
    case "aws:ec2/eip:Eip":
      return { publicIp: `198.51.100.${name.length}` };
    case "aws:ec2/networkInterface:NetworkInterface":
      return { privateIp: `10.20.0.${name.length}`, ipv6Addresses: [`2600:1f18:1234:5600::${name.length}`] };
    case "aws:s3/bucket:Bucket":
      return { bucket: generated(name), arn: `arn:aws:s3:::${generated(name)}` };
    case "aws:iam/role:Role":
    case "aws:iam/instanceProfile:InstanceProfile":
      return { name: generated(name) };
    case "aws:ssm/parameter:Parameter":
      return { version: 1 };
    case "aws:route53/zone:Zone":
      return { zoneId: "Z123", nameServers: ["ns-1.example.net", "ns-2.example.net"] };
    case "aws:cloudwatch/logGroup:LogGroup":
      return { arn: `arn:aws:logs:us-east-1:123456789012:log-group:${inputs.name}` };
    case "aws:sns/topic:Topic":
      return { arn: `arn:aws:sns:${inputs.region}:123456789012:${generated(name)}` };
    default:
      return {};
  }
}

const ids: Record<string, string> = {
  "aws:ec2/vpc:Vpc": "vpc",
  "aws:ec2/subnet:Subnet": "subnet",
  "aws:ec2/instance:Instance": "i",
  "aws:ebs/volume:Volume": "vol",
  "aws:ec2/networkInterface:NetworkInterface": "eni",
  "aws:ec2/securityGroup:SecurityGroup": "sg",
  "aws:ec2/internetGateway:InternetGateway": "igw",
  "aws:ec2/routeTable:RouteTable": "rtb",
};

function answer(token: string, args: Record<string, unknown>): Record<string, unknown> {
  switch (token) {
    case "aws:index/getCallerIdentity:getCallerIdentity":
      return { accountId: "123456789012" };
    case "aws:index/getAvailabilityZones:getAvailabilityZones":
      return { names: ["us-east-1a", "us-east-1b", "us-east-1c"] };
    case "aws:ec2/getInstanceTypeOfferings:getInstanceTypeOfferings":
      return { locations: ["us-east-1c", "us-east-1b"] };
    case "aws:ssm/getParameter:getParameter":
      return { value: "ami-0123456789abcdef0" };
    case "aws:ec2/getSubnet:getSubnet":
      return {
        ...args,
        availabilityZone: "us-east-1c",
        vpcId: "vpc-0123456789abcdef0",
        // The id that stands for a subnet without IPv6 in this mock.
        ipv6CidrBlock: String(args.id).endsWith("4") ? "" : "2600:1f18:1234:5600::/64",
      };
    case "aws:route53/getZone:getZone":
      return { ...args, zoneId: "Z999", nameServers: [] };
    default:
      throw new Error(`The program asks for ${token}, which the mock does not know.`);
  }
}

/** Signature of a secret in the engine's protocol (sdk/proto/properties.md). */
const SECRET = "1b47061264138c4ac30d75fd1eb44270";

/** The part of the SDK's mock monitor that is needed here; the SDK does not export its type. */
interface Monitor {
  // biome-ignore lint/suspicious/noExplicitAny: a protobuf message without exported type
  registerResource(request: any, callback: unknown): Promise<void>;
}

/**
 * Runs `work` without stack traces. Pulumi's SDK keeps one of each promise, and Jest maps every line of them to its source, which takes
 * most of a program's time.
 */
export async function withoutStacks<T>(work: () => Promise<T>): Promise<T> {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  try {
    return await work();
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}

/** Captures what the program logs. Without an engine the SDK would print it. */
export function captureLog(): string[] {
  const messages: string[] = [];
  (pulumi.log as { info: (text: string) => Promise<void> }).info = async (text) => void messages.push(text);
  return messages;
}

/** Records the resources that the program creates. It is set up for each program. */
export async function recording(stack: string, preview = false): Promise<RequestedResource[]> {
  captureLog();
  const resources: RequestedResource[] = [];
  const requested = new Map<string, Options>();
  await pulumi.runtime.setMocks(
    {
      newResource: ({ type, name, inputs }) => {
        const prefix = ids[type];
        const id: string =
          type === "aws:s3/bucket:Bucket"
            ? generated(name)
            : prefix
              ? `${prefix}-${hex(name)}`
              : `${name}-id`;
        const state = { ...inputs, ...computed(type, name, inputs) };
        const options = requested.get(`${type} ${name}`);
        if (!options) throw new Error(`${name} was not asked for`);
        resources.push({ type, name, id, inputs, state, options });
        return { id, state };
      },
      call: ({ token, inputs }) => answer(token, inputs),
    },
    "mcp-edge",
    stack,
    preview,
  );
  // Mocks do not get the options, so they are read from the request itself.
  const monitor = pulumi.runtime.getMonitor() as unknown as Monitor;
  const register = monitor.registerResource.bind(monitor);
  monitor.registerResource = (request, callback) => {
    const options = {
      parent: request.getParent(),
      protect: request.getProtect() ?? false,
      deleteBeforeReplace: request.getDeletebeforereplace(),
      ignoreChanges: request.getIgnorechangesList(),
      replacementTrigger: JSON.stringify(request.getReplacementTrigger()?.toJavaScript() ?? ""),
      dependencies: request.getDependenciesList(),
      secrets: Object.entries(request.getObject().toJavaScript())
        .filter(([, value]) => JSON.stringify(value)?.includes(SECRET))
        .map(([key]) => key),
    };
    requested.set(`${request.getType()} ${request.getName()}`, options);
    return register(request, callback);
  };
  return resources;
}

/**
 * Waits until all registrations, including those that others cause, have ended. Waiting for an output of the program is not
 * enough, since some resources are created after it.
 */
export const settled = () => pulumi.runtime.disconnect();
