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

/** A small environment that passes every policy. A test breaks one thing of it. Each call returns a new one. */
export function goodStack(): Made[] {
  const stack: Made[] = [
    { type: TYPE.securityGroup, name: "group", props: { id: "sg-1", tags } },
    ...[ipv4, ipv6].flatMap((source) => [
      rule("tcp", 443, source),
      rule("udp", 443, source),
      rule("tcp", 80, source),
    ]),
    {
      type: TYPE.instance,
      name: "machine",
      props: {
        id: "i-1",
        instanceType: "t4g.small",
        metadataOptions: { httpTokens: "required", httpPutResponseHopLimit: 1 },
        rootBlockDevice: { encrypted: true },
        disableApiTermination: true,
        userDataBase64: Buffer.from("#cloud-config\n{}\n").toString("base64"),
        tags,
      },
    },
    { type: TYPE.volume, name: "data", props: { encrypted: true, tags }, protect: true },
    { type: TYPE.eip, name: "address", props: { tags }, protect: true },
    {
      type: TYPE.alarm,
      name: "alarm",
      props: {
        metricName: "StatusCheckFailed_System",
        dimensions: { InstanceId: "i-1" },
        alarmActions: ["arn:aws:automate:eu-central-1:ec2:recover"],
        tags,
      },
      from: { dimensions: ["machine"] },
    },
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
