import * as pulumi from "@pulumi/pulumi";

/** A resource as the program asked for it. */
export interface Asked {
  type: string;
  name: string;
  id: string;
  inputs: Record<string, unknown>;
  /** Outputs as the mock gave them. */
  state: Record<string, unknown>;
}

const hex = (name: string) => Buffer.from(name).toString("hex").slice(0, 17).padEnd(17, "0");

/** What AWS computes and the program reads. */
function computed(type: string, name: string, inputs: Record<string, unknown>): Record<string, unknown> {
  switch (type) {
    case "aws:ec2/vpc:Vpc":
      return { ipv6CidrBlock: "2600:1f18:1234:5600::/56" };
    case "aws:ec2/eip:Eip":
      return { publicIp: `198.51.100.${name.length}` };
    case "aws:ec2/networkInterface:NetworkInterface":
      return { ipv6Addresses: [`2600:1f18:1234:5600::${name.length}`] };
    case "aws:s3/bucket:Bucket":
      return { arn: `arn:aws:s3:::${inputs.bucket}` };
    case "aws:ssm/parameter:Parameter":
      return { version: 1 };
    case "aws:route53/zone:Zone":
      return { zoneId: "Z123", nameServers: ["ns-1.example.net", "ns-2.example.net"] };
    case "aws:cloudwatch/logGroup:LogGroup":
      return { arn: `arn:aws:logs:us-east-1:123456789012:log-group:${inputs.name}` };
    case "aws:sns/topic:Topic":
      return { arn: `arn:aws:sns:${inputs.region}:123456789012:${inputs.name}` };
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
};

function answer(token: string, args: Record<string, unknown>): Record<string, unknown> {
  switch (token) {
    case "aws:index/getCallerIdentity:getCallerIdentity":
      return { accountId: "123456789012" };
    case "aws:index/getAvailabilityZones:getAvailabilityZones":
      return { names: ["us-east-1a", "us-east-1b", "us-east-1c"] };
    case "aws:ssm/getParameter:getParameter":
      return { value: "ami-0123456789abcdef0" };
    case "aws:ec2/getSubnet:getSubnet":
      return { ...args, availabilityZone: "us-east-1c" };
    case "aws:route53/getZone:getZone":
      return { ...args, zoneId: "Z999", nameServers: [] };
    default:
      throw new Error(`The program asks for ${token}, which the mock does not know.`);
  }
}

/** Records what the program makes. Set up anew for each program: names are the whole world's. */
export function recording(stack: string, preview = false): Asked[] {
  const asked: Asked[] = [];
  pulumi.runtime.setMocks(
    {
      newResource: ({ type, name, inputs }) => {
        const prefix = ids[type];
        const id: string =
          type === "aws:s3/bucket:Bucket" ? inputs.bucket : prefix ? `${prefix}-${hex(name)}` : `${name}-id`;
        const state = { ...inputs, ...computed(type, name, inputs) };
        asked.push({ type, name, id, inputs, state });
        return { id, state };
      },
      call: ({ token, inputs }) => answer(token, inputs),
    },
    "mcp-edge",
    stack,
    preview,
  );
  return asked;
}

/** Every registration that is under way, and those that it causes, has ended. */
export const settled = () => pulumi.runtime.disconnect();
