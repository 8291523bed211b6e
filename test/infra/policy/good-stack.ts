import { TYPE } from "../../../infra/policy/policy.ts";
import type { Made } from "./harness.ts";

const tags = { Project: "mcp-edge", Stack: "prod", Environment: "prod", ManagedBy: "pulumi" };
const everybody = { AWS: "*" };

export const document = (...Statement: object[]) => JSON.stringify({ Version: "2012-10-17", Statement });

export const tlsOnly = {
  Effect: "Deny",
  Principal: everybody,
  Action: "s3:*",
  Resource: ["arn:aws:s3:::edge", "arn:aws:s3:::edge/*"],
  Condition: { Bool: { "aws:SecureTransport": "false" } },
};

const rule = (ipProtocol: string, port: number, source: Record<string, string>): Made => ({
  type: TYPE.ingress,
  name: `${ipProtocol}-${port}-${Object.keys(source)[0]}`,
  props: { securityGroupId: "sg-1", ipProtocol, fromPort: port, toPort: port, ...source, tags },
});

const [ipv4, ipv6] = [{ cidrIpv4: "0.0.0.0/0" }, { cidrIpv6: "::/0" }];

const record = (type: string, ...records: string[]): Made => ({
  type: TYPE.record,
  name: type,
  props: { type, name: "mcp.example.com", ttl: type === "CAA" ? 3600 : 300, records },
});

const machine = (name: string, props: Record<string, unknown>): Made[] => [
  {
    type: TYPE.instance,
    name,
    props: {
      id: `i-${name}`,
      instanceType: "t4g.small",
      metadataOptions: { httpTokens: "required", httpPutResponseHopLimit: 1 },
      rootBlockDevice: { encrypted: true },
      disableApiTermination: true,
      userDataBase64: Buffer.from("#cloud-config\n{}\n").toString("base64"),
      tags,
      ...props,
    },
  },
  {
    type: TYPE.alarm,
    name: name === "machine" ? "alarm" : `alarm-${name}`,
    props: {
      metricName: "StatusCheckFailed_System",
      dimensions: { InstanceId: `i-${name}` },
      alarmActions: ["arn:aws:automate:eu-central-1:ec2:recover"],
      tags,
    },
    from: { dimensions: [name] },
  },
];

const port = (name: string, props: Record<string, unknown>): Made => ({
  type: TYPE.networkInterface,
  name,
  props: { id: `eni-${name}`, tags, ...props },
});

const detour = (name: string, to: Record<string, string>): Made => ({
  type: TYPE.route,
  name,
  props: { routeTableId: "rtb-1", networkInterfaceId: "eni-edge-port", ...to },
  from: { routeTableId: ["table"], networkInterfaceId: ["edge-port"] },
});

/** An edge that forwards packets, and the private subnet of the machine behind it (edge: passthrough). */
const forwarding = (): Made[] => [
  ...machine("edge", {
    primaryNetworkInterface: { networkInterfaceId: "eni-edge-port" },
    iamInstanceProfile: "edge-profile",
  }),
  port("edge-port", { subnetId: "subnet-1", sourceDestCheck: false }),
  port("port", { subnetId: "subnet-2" }),
  {
    type: TYPE.eipAssociation,
    name: "address-of-edge",
    props: { allocationId: "eipalloc-1", networkInterfaceId: "eni-edge-port" },
  },
  { type: TYPE.subnet, name: "hidden", props: { id: "subnet-2", mapPublicIpOnLaunch: false, tags } },
  { type: "aws:ec2/routeTable:RouteTable", name: "table", props: { id: "rtb-1", tags } },
  {
    type: TYPE.routeTableAssociation,
    name: "routes-of-hidden",
    props: { subnetId: "subnet-2", routeTableId: "rtb-1" },
    from: { routeTableId: ["table"], subnetId: ["hidden"] },
  },
  detour("detour-ipv4", { destinationCidrBlock: "0.0.0.0/0" }),
  detour("detour-ipv6", { destinationIpv6CidrBlock: "::/0" }),
  { type: TYPE.instanceProfile, name: "profile", props: { id: "edge-profile", role: "edge-role", tags } },
  { type: TYPE.role, name: "role", props: { id: "edge-role", name: "edge-role", tags } },
  {
    type: TYPE.rolePolicy,
    name: "edge-permissions",
    props: {
      role: "edge-role",
      policy: document({
        Effect: "Allow",
        Action: "s3:GetObject",
        Resource: ["arn:aws:s3:::edge/desired.json", "arn:aws:s3:::edge/files/*"],
      }),
    },
  },
];

/** A small environment that passes every policy. A test breaks one thing of it. Each call returns a new one. */
export function goodStack(): Made[] {
  const stack: Made[] = [
    { type: TYPE.securityGroup, name: "group", props: { id: "sg-1", tags } },
    ...[ipv4, ipv6].flatMap((source) => [
      rule("tcp", 443, source),
      rule("udp", 443, source),
      rule("tcp", 80, source),
    ]),
    ...machine("machine", { primaryNetworkInterface: { networkInterfaceId: "eni-port" } }),
    ...forwarding(),
    { type: TYPE.volume, name: "data", props: { encrypted: true, tags }, protect: true },
    { type: TYPE.eip, name: "address", props: { tags }, protect: true },
    { type: TYPE.bucket, name: "bucket", props: { id: "edge", bucket: "edge", tags } },
    {
      type: TYPE.publicAccessBlock,
      name: "block",
      props: {
        bucket: "edge",
        blockPublicAcls: true,
        blockPublicPolicy: true,
        ignorePublicAcls: true,
        restrictPublicBuckets: true,
      },
    },
    { type: TYPE.bucketEncryption, name: "encryption", props: { bucket: "edge" } },
    {
      type: TYPE.bucketVersioning,
      name: "versions",
      props: { bucket: "edge", versioningConfiguration: { status: "Enabled" } },
    },
    { type: TYPE.bucketPolicy, name: "tls", props: { bucket: "edge", policy: document(tlsOnly) } },
    {
      type: TYPE.rolePolicy,
      name: "permissions",
      props: {
        policy: document(
          { Effect: "Allow", Action: ["s3:GetObject"], Resource: ["arn:aws:s3:::edge/releases/*"] },
          { Effect: "Allow", Action: ["ec2:DescribeTags", "cloudwatch:PutMetricData"], Resource: "*" },
        ),
      },
    },
    {
      type: TYPE.parameter,
      name: "secret",
      props: { name: "/mcp-edge/prod/env/API_KEY", type: "SecureString", value: "not-for-everybody", tags },
    },
    record("A", "192.0.2.1"),
    record("AAAA", "2001:db8::1"),
    record("HTTPS", '1 . alpn="h3,h2"'),
    record("CAA", '0 issue "letsencrypt.org"'),
  ];
  // A copy of plain data: Jest's structuredClone gives objects of another realm, which the SDK's proxy does not wrap.
  return JSON.parse(JSON.stringify(stack));
}
