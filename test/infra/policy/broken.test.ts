import { gzipSync } from "node:zlib";
import { describe, expect, test } from "@jest/globals";
import type { PolicyContext } from "../../../infra/policy/context.ts";
import { policyPack } from "../../../infra/policy/pack.ts";
import { TYPE } from "../../../infra/policy/policy.ts";
import { document, goodStack, tlsOnly } from "./good-stack.ts";
import { check, type Made } from "./harness.ts";

/** Change a property of one resource, by the resource's name. */
const set =
  (name: string, props: Record<string, unknown>) =>
  (stack: Made[]): Made[] =>
    stack.map((made) => (made.name === name ? { ...made, props: { ...made.props, ...props } } : made));
const without = (name: string) => (stack: Made[]) => stack.filter((made) => made.name !== name);
const bare = (name: string) => (stack: Made[]) =>
  stack.map((made) => (made.name === name ? { ...made, protect: false } : made));
const plus = (made: Made) => (stack: Made[]) => [...stack, made];
const allow = (Action: string | string[], Resource: string | string[], more = {}) =>
  set("permissions", { policy: document({ Effect: "Allow", Action, Resource, ...more }) });
const userData = (text: string) => set("machine", { userDataBase64: gzipSync(text).toString("base64") });
const tags = { Project: "mcp-edge", Stack: "prod", Environment: "prod", ManagedBy: "pulumi" };
const ingress = (props: Record<string, unknown>) =>
  plus({ type: TYPE.ingress, name: "more", props: { securityGroupId: "sg-1", tags, ...props } });
const template = (props: Record<string, unknown>) =>
  plus({
    type: TYPE.launchTemplate,
    name: "template",
    props: { metadataOptions: { httpTokens: "required", httpPutResponseHopLimit: 1 }, tags, ...props },
  });

const own = "arn:aws:s3:::edge/releases/*";
const noise = Array.from({ length: 20_000 }, (_, i) => ((i * 7919) % 104_729).toString(36)).join("");

/** Policy, what is broken, how, and the policy's finding. */
const CASES: [string, string, (stack: Made[]) => Made[], string][] = [
  [
    "open-ports",
    "SSH to the world",
    ingress({ ipProtocol: "tcp", fromPort: 22, toPort: 22, cidrIpv4: "0.0.0.0/0" }),
    "0.0.0.0/0 may reach tcp port 22; for a shell, use `mcp-edge shell`",
  ],
  [
    "open-ports",
    "SSH to an office",
    ingress({ ipProtocol: "6", fromPort: 22, toPort: 22, cidrIpv4: "192.0.2.0/24" }),
    "192.0.2.0/24 may reach tcp port 22; for a shell, use `mcp-edge shell`",
  ],
  [
    "open-ports",
    "a range around SSH",
    ingress({ ipProtocol: "tcp", fromPort: 20, toPort: 30, cidrIpv6: "::/0" }),
    "::/0 may reach tcp ports 20 to 30; for a shell, use `mcp-edge shell`",
  ],
  [
    "open-ports",
    "every port",
    ingress({ ipProtocol: "-1", cidrIpv4: "0.0.0.0/0" }),
    "0.0.0.0/0 may reach every port",
  ],
  [
    "open-ports",
    "UDP 80",
    ingress({ ipProtocol: "udp", fromPort: 80, toPort: 80, cidrIpv4: "0.0.0.0/0" }),
    "0.0.0.0/0 may reach udp port 80",
  ],
  [
    "open-ports",
    "a rule inside the group",
    set("group", { ingress: [{ protocol: "tcp", fromPort: 8080, toPort: 8080, cidrBlocks: ["0.0.0.0/0"] }] }),
    "0.0.0.0/0 may reach tcp port 8080",
  ],
  [
    "open-ports",
    "a rule of the older kind",
    plus({
      type: TYPE.securityGroupRule,
      name: "old",
      props: { type: "ingress", protocol: "tcp", fromPort: 3306, toPort: 3306, ipv6CidrBlocks: ["::/0"] },
    }),
    "::/0 may reach tcp port 3306",
  ],
  [
    "https-twins",
    "no UDP over IPv4",
    without("udp-443-cidrIpv4"),
    "0.0.0.0/0 reaches TCP 443 and not UDP 443",
  ],
  ["https-twins", "no UDP over IPv6", without("udp-443-cidrIpv6"), "::/0 reaches TCP 443 and not UDP 443"],
  [
    "https-twins",
    "no TCP over IPv4",
    without("tcp-443-cidrIpv4"),
    "0.0.0.0/0 reaches UDP 443 and not TCP 443",
  ],
  [
    "imdsv2",
    "tokens optional",
    set("machine", { metadataOptions: { httpTokens: "optional", httpPutResponseHopLimit: 1 } }),
    "metadataOptions.httpTokens is not required",
  ],
  [
    "imdsv2",
    "two hops",
    set("machine", { metadataOptions: { httpTokens: "required", httpPutResponseHopLimit: 2 } }),
    "metadataOptions.httpPutResponseHopLimit is not 1",
  ],
  [
    "imdsv2",
    "a template without metadata options",
    template({ metadataOptions: undefined }),
    "metadataOptions.httpTokens is not required",
  ],
  ["encrypted-volumes", "the data volume", set("data", { encrypted: false }), "the volume is not encrypted"],
  [
    "encrypted-volumes",
    "the root volume",
    set("machine", { rootBlockDevice: {} }),
    "the root volume is not encrypted",
  ],
  [
    "encrypted-volumes",
    "a further volume",
    set("machine", { ebsBlockDevices: [{ deviceName: "/dev/sdg" }] }),
    "the volume at /dev/sdg is not encrypted",
  ],
  [
    "encrypted-volumes",
    "a template's volume",
    template({ blockDeviceMappings: [{ deviceName: "/dev/xvda", ebs: { encrypted: "false" } }] }),
    "the volume at /dev/xvda is not encrypted",
  ],
  ["private-bucket", "a public ACL", set("bucket", { acl: "public-read" }), "its ACL is public-read"],
  [
    "private-bucket",
    "a public ACL of the bucket",
    plus({ type: TYPE.bucketAcl, name: "acl", props: { acl: "public-read-write" } }),
    "its ACL is public-read-write",
  ],
  [
    "private-bucket",
    "an open block",
    set("block", { restrictPublicBuckets: false }),
    "restrictPublicBuckets is not true",
  ],
  [
    "private-bucket",
    "a policy for everybody",
    set("tls", {
      policy: document(tlsOnly, { Effect: "Allow", Principal: "*", Action: "s3:GetObject", Resource: own }),
    }),
    "everybody is allowed s3:GetObject",
  ],
  ["guarded-bucket", "no block", without("block"), "bucket bucket: no BucketPublicAccessBlock"],
  [
    "guarded-bucket",
    "no encryption",
    without("encryption"),
    "bucket bucket: no encryption configured (BucketServerSideEncryptionConfiguration)",
  ],
  [
    "guarded-bucket",
    "versions suspended",
    set("versions", { versioningConfiguration: { status: "Suspended" } }),
    "bucket bucket: versioning is Suspended",
  ],
  [
    "guarded-bucket",
    "no policy",
    without("tls"),
    "bucket bucket: no policy that refuses requests without TLS (BucketPolicy)",
  ],
  [
    "guarded-bucket",
    "a policy that allows plain HTTP",
    set("tls", { policy: document({ ...tlsOnly, Condition: {} }) }),
    "bucket bucket: its policy does not refuse requests without TLS (aws:SecureTransport)",
  ],
  [
    "guarded-bucket",
    "the block of another bucket",
    set("block", { bucket: "other" }),
    "bucket bucket: no BucketPublicAccessBlock",
  ],
  ["no-star-action", "every action", allow("*", own), "* is allowed"],
  [
    "no-star-action",
    "every action of a service",
    allow(["s3:*"], own, { Sid: "Bucket" }),
    "s3:* is allowed (statement Bucket)",
  ],
  [
    "no-star-action",
    "all but some",
    set("permissions", { policy: document({ Effect: "Allow", NotAction: "iam:*", Resource: own }) }),
    "NotAction or NotResource allows everything except what it names",
  ],
  [
    "no-star-action",
    "an administrator",
    plus({
      type: TYPE.rolePolicyAttachment,
      name: "admin",
      props: { policyArn: "arn:aws:iam::aws:policy/AdministratorAccess" },
    }),
    "the managed policy arn:aws:iam::aws:policy/AdministratorAccess is attached",
  ],
  [
    "no-star-action",
    "inside a role",
    plus({
      type: TYPE.role,
      name: "role",
      props: {
        tags,
        inlinePolicies: [{ policy: document({ Effect: "Allow", Action: "ec2:*", Resource: own }) }],
      },
    }),
    "ec2:* is allowed",
  ],
  [
    "no-star-write",
    "deleting any object",
    allow("s3:DeleteObject", "*"),
    "s3:DeleteObject is allowed on every resource",
  ],
  [
    "no-star-write",
    "reading any secret",
    allow("ssm:GetParameter", ["arn:aws:ssm:*:*:*/*"]),
    "ssm:GetParameter is allowed on every resource",
  ],
  [
    "no-star-write",
    "any key",
    allow(["ec2:DescribeTags", "kms:Decrypt"], ["*"]),
    "kms:Decrypt is allowed on every resource",
  ],
  [
    "user-data-secrets",
    "a private key",
    userData("-----BEGIN EC PRIVATE KEY-----"),
    "it holds what looks like a private key",
  ],
  [
    "user-data-secrets",
    "an access key inside a packed file",
    userData(`{"content":"${gzipSync(`AKIA${"IOSFODNN7EXAMPLE"}`).toString("base64")}"}`),
    "it holds what looks like an AWS access key",
  ],
  [
    "user-data-secrets",
    "a password",
    userData("DB_PASSWORD=correcthorsebattery"),
    "it holds what looks like a password",
  ],
  [
    "user-data-secrets",
    "a secret without a shape",
    userData("greeting: tell-nobody"),
    "it holds a secret of the stack's configuration",
  ],
  [
    "user-data-size",
    "over the limit",
    set("machine", { userData: `#!/bin/sh\n# ${noise}`, userDataBase64: undefined }),
    `it has ${noise.length + 12} bytes`,
  ],
  ["secure-parameters", "a String", set("secret", { type: "String" }), "secret is of type String"],
  [
    "secure-parameters",
    "a secret elsewhere",
    plus({
      type: TYPE.parameter,
      name: "note",
      props: { name: "/mcp-edge/prod/note", type: "String", value: "tell-nobody", tags },
    }),
    "note holds a secret of the stack's configuration and is of type String",
  ],
  ["zone-records", "no HTTPS record", without("HTTPS"), "mcp.example.com has no HTTPS record"],
  [
    "zone-records",
    "an HTTPS record without h3",
    set("HTTPS", { records: ['1 . alpn="h2"'] }),
    "the HTTPS record of mcp.example.com does not offer h3",
  ],
  [
    "zone-records",
    "no CAA record",
    without("CAA"),
    "mcp.example.com has no CAA record, nor has any of its parents",
  ],
  ["record-ttls", "too long", set("A", { ttl: 3600 }), "the A record of mcp.example.com has ttl 3600"],
  ["record-ttls", "too short", set("HTTPS", { ttl: 5 }), "the HTTPS record of mcp.example.com has ttl 5"],
  ["prod-protected", "the data volume", bare("data"), "data is not protected (resource option protect)"],
  ["prod-protected", "the address", bare("address"), "address is not protected (resource option protect)"],
  [
    "prod-protected",
    "a zone of ours",
    plus({ type: TYPE.zone, name: "zone", props: { tags } }),
    "zone is not protected (resource option protect)",
  ],
  [
    "prod-protected",
    "the machine",
    set("machine", { disableApiTermination: undefined }),
    "machine can be terminated (disableApiTermination)",
  ],
  ["tags", "no tags", set("data", { tags: undefined }), "data lacks Project, Stack, Environment, ManagedBy"],
  [
    "tags",
    "another environment's",
    set("data", { tags: { ...tags, Environment: "dev" } }),
    "data has the tag Environment=dev, but the environment is prod",
  ],
  [
    "instance-types",
    "another family",
    set("machine", { instanceType: "t2.small" }),
    "t2.small is not one of them",
  ],
  [
    "instance-types",
    "another size",
    set("machine", { instanceType: "t4g.nano" }),
    "t4g.nano is not one of them",
  ],
  ["machine-alarms", "no alarm", without("alarm"), "machine has no alarm on its status checks"],
  [
    "machine-alarms",
    "an alarm of something else",
    set("alarm", { metricName: "CPUUtilization" }),
    "machine has no alarm on its status checks",
  ],
  [
    "machine-alarms",
    "an alarm that does nothing",
    set("alarm", { alarmActions: [] }),
    "machine has no alarm on its status checks",
  ],
];

const edgeMay = (Action: string, Resource: string) =>
  set("edge-permissions", { policy: document({ Effect: "Allow", Action, Resource }) });

/** Of a stack whose edge forwards packets. */
const FORWARDING: typeof CASES = [
  [
    "forwarding-edge",
    "the origin may forward too",
    set("port", { sourceDestCheck: false }),
    "port forwards packets, and no route leads to it",
  ],
  [
    "forwarding-edge",
    "an instance without an interface of its own may",
    plus({
      type: TYPE.networkInterface,
      name: "stray",
      props: { id: "eni-stray", subnetId: "subnet-1", sourceDestCheck: false, tags },
    }),
    "stray forwards packets, and no route leads to it",
  ],
  [
    "forwarding-edge",
    "EC2 drops what the edge forwards",
    set("edge-port", { sourceDestCheck: true }),
    "routes lead to edge-port, and EC2 drops what it forwards (sourceDestCheck)",
  ],
  [
    "hidden-origin",
    "an Elastic IP on the origin's interface",
    plus({
      type: TYPE.eipAssociation,
      name: "public",
      props: { allocationId: "eipalloc-2", networkInterfaceId: "eni-port" },
    }),
    "machine has a public address (public)",
  ],
  [
    "hidden-origin",
    "an Elastic IP on the origin's instance",
    plus({ type: TYPE.eip, name: "public", props: { instance: "i-machine", tags }, protect: true }),
    "machine has a public address (public)",
  ],
  [
    "hidden-origin",
    "a subnet that gives public addresses",
    set("hidden", { mapPublicIpOnLaunch: true }),
    "hidden gives public addresses (mapPublicIpOnLaunch)",
  ],
  [
    "hidden-origin",
    "a route to an internet gateway",
    plus({
      type: TYPE.route,
      name: "short-cut",
      props: { routeTableId: "rtb-1", gatewayId: "igw-1", destinationCidrBlock: "198.51.100.0/24" },
      from: { routeTableId: ["table"] },
    }),
    "the route short-cut leads around the edge (gatewayId)",
  ],
  [
    "hidden-origin",
    "IPv6 around the edge",
    set("detour-ipv6", { egressOnlyGatewayId: "eigw-1" }),
    "the route detour-ipv6 leads around the edge (egressOnlyGatewayId)",
  ],
  ["hidden-origin", "no IPv6", without("detour-ipv6"), "hidden has no route for ::/0 to the edge"],
  [
    "edge-without-secrets",
    "the edge reads parameters",
    edgeMay("ssm:GetParametersByPath", "arn:aws:ssm:eu-central-1:123456789012:parameter/mcp-edge/prod/env/*"),
    "edge may ssm:GetParametersByPath on arn:aws:ssm:eu-central-1:123456789012:parameter/mcp-edge/prod/env/*",
  ],
  [
    "edge-without-secrets",
    "the edge reads releases",
    edgeMay("s3:GetObject", own),
    `edge may s3:GetObject on ${own}`,
  ],
  [
    "edge-without-secrets",
    "the edge reads the whole bucket",
    edgeMay("s3:GetObject", "arn:aws:s3:::edge/*"),
    "edge may s3:GetObject on arn:aws:s3:::edge/*",
  ],
  [
    "user-data-secrets",
    "a secret in the user data of the edge",
    set("edge", { userDataBase64: gzipSync("tell-nobody").toString("base64") }),
    "it holds a secret of the stack's configuration",
  ],
];
CASES.push(...FORWARDING);

const context: Partial<PolicyContext> = { secrets: ["tell-nobody"] };

describe("the policies", () => {
  test("have no findings for a valid stack", async () => {
    expect(await check(goodStack(), context)).toEqual([]);
  });

  test.each(CASES)("%s: %s", async (policy, _what, breakIt, text) => {
    const findings = await check(breakIt(goodStack()), context);
    expect(findings).toContainEqual({ policy, kind: "violation", text });
    // Only one thing is broken, so no other policy has a finding.
    expect([...new Set(findings.map((one) => one.policy))]).toEqual([policy]);
  });

  test("all have a case here", () => {
    const names = policyPack({ environment: "prod", secrets: [] }).policies.map(({ name }) => name);
    expect([...new Set(CASES.map(([name]) => name))].sort()).toEqual([...names].sort());
  });
});

describe("no policy objects to", () => {
  const fine: [string, (stack: Made[]) => Made[]][] = [
    [
      "path MTU discovery from the world",
      ingress({ ipProtocol: "icmp", fromPort: 3, toPort: 4, cidrIpv4: "0.0.0.0/0" }),
    ],
    [
      "SSH from another group (Instance Connect endpoint)",
      ingress({ ipProtocol: "tcp", fromPort: 22, toPort: 22, referencedSecurityGroupId: "sg-2" }),
    ],
    [
      "read access to all resources",
      allow(["ec2:DescribeInstances", "route53:GetChange", "s3:ListBucket"], "*"),
    ],
    ["a CAA record above the host", set("CAA", { name: "example.com." })],
    [
      "tags by the provider",
      (stack) =>
        stack.map((made) =>
          made.name === "data"
            ? { ...made, props: { encrypted: true }, provider: { defaultTags: JSON.stringify({ tags }) } }
            : made,
        ),
    ],
    [
      "a script that reads a secret from a file",
      userData('PASSWORD="$(cat /run/secret)"; token_file=/etc/mcp-edge/token; SECRET='),
    ],
    [
      "a public value in a String parameter",
      plus({
        type: TYPE.parameter,
        name: "image",
        props: { name: "/mcp-edge/prod/image", type: "String", value: "ami-0123", tags },
      }),
    ],
  ];
  test.each(fine)("%s", async (_what, change) => {
    expect(await check(change(goodStack()), context)).toEqual([]);
  });

  test("an unprotected volume outside prod", async () => {
    const dev = goodStack().map((made) => ({
      ...made,
      protect: false,
      props: made.props.tags ? { ...made.props, tags: { ...tags, Environment: "dev" } } : made.props,
    }));
    expect(await check(dev, { environment: "dev" })).toEqual([]);
  });
});
