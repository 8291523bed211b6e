import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { publicParameter } from "./images.ts";
import { deleteObject, getObject, putObject, versionsOf } from "./objects.ts";
import { makeScarce } from "./services/offerings.ts";
import { Double } from "./support.ts";
import type { Props } from "./values.ts";

let aws: Double;

beforeEach(async () => {
  aws = await Double.create();
});

afterEach(() => aws.remove());

const UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";
const RULE = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule";
const INSTANCE = "aws:ec2/instance:Instance";
const VOLUME = "aws:ebs/volume:Volume";
const ATTACHMENT = "aws:ec2/volumeAttachment:VolumeAttachment";
const https = { ipProtocol: "tcp", fromPort: 443, toPort: 443, cidrIpv4: "0.0.0.0/0" };
const ami = (debian: string) =>
  publicParameter("eu-central-1", `/aws/service/debian/release/13/latest/${debian}`) ?? "";

const many = (count: number) =>
  Object.fromEntries(Array.from({ length: count }, (_, n) => [`key-${n}`, "value"]));

/** Inputs that the API refuses, and its message. */
const REFUSED: [string, Props, RegExp][] = [
  ["aws:ec2/vpc:Vpc", { cidrBlock: "10.0.0.0/8" }, /between \/16 and \/28/],
  ["aws:ec2/vpc:Vpc", { cidrBlock: "10.0.0.1/16" }, /host bits.*10\.0\.0\.0\/16/],
  ["aws:ec2/subnet:Subnet", { ipv6CidrBlock: "fd00::/72" }, /between \/44 and \/64/],
  ["aws:ec2/securityGroup:SecurityGroup", { name: "sg-mine" }, /not begin with sg-/],
  ["aws:ec2/securityGroup:SecurityGroup", { description: "größer" }, /at most 255 of/],
  [RULE, { ...https, cidrIpv4: "0.0.0.0" }, /no IPv4 CIDR/],
  [RULE, { ...https, cidrIpv6: "::/0" }, /only one of/],
  [RULE, { ...https, fromPort: 444 }, /less than fromPort/],
  [RULE, { ...https, ipProtocol: "quic" }, /must be one of -1, tcp, udp/],
  [INSTANCE, { userDataBase64: Buffer.alloc(16_385, 65).toString("base64") }, /limited to 16384 bytes/],
  [INSTANCE, { metadataOptions: { httpTokens: "always" } }, /optional, required/],
  [INSTANCE, { instanceType: "t4g.tiny" }, /no instance type/],
  [INSTANCE, { rootBlockDevice: { volumeSize: 4 } }, /between 8 and/],
  [VOLUME, { type: "gp3", iops: 100 }, /between 3000 and/],
  [ATTACHMENT, { deviceName: "/dev/nvme1n1" }, /names for data volumes/],
  ["aws:s3/bucket:Bucket", { bucket: "Mine" }, /lower-case/],
  ["aws:s3/bucket:Bucket", { bucket: "10.0.0.1" }, /naming rules/],
  ["aws:ssm/parameter:Parameter", { name: "a/b", type: "String" }, /begins with \//],
  ["aws:ssm/parameter:Parameter", { name: "/a", value: "x".repeat(4097) }, /more than 4096 bytes/],
  ["aws:iam/role:Role", { name: "x".repeat(65) }, /1 to 64/],
  ["aws:iam/rolePolicy:RolePolicy", { policy: "{}" }, /MalformedPolicyDocument: no valid Version/],
  [
    "aws:iam/rolePolicy:RolePolicy",
    {
      policy: JSON.stringify({
        Version: "2012-10-17",
        Statement: { Effect: "Allow", Action: "s3:*", Resource: "b" },
      }),
    },
    /must be in ARN format/,
  ],
  ["aws:route53/record:Record", { type: "A", records: ["::1"] }, /an IPv4 address/],
  ["aws:route53/record:Record", { type: "CAA", records: ["letsencrypt.org"] }, /issue/],
  ["aws:route53/record:Record", { type: "HTTPS", records: ["alpn=h3"] }, /alpn="h3,h2"/],
  ["aws:route53/healthCheck:HealthCheck", { requestInterval: 60 }, /10, 30/],
  ["aws:cloudwatch/metricAlarm:MetricAlarm", { period: 45 }, /multiple of 60/],
  ["aws:cloudwatch/metricAlarm:MetricAlarm", { evaluationPeriods: 2, datapointsToAlarm: 3 }, /more than/],
  ["aws:cloudwatch/logGroup:LogGroup", { retentionInDays: 10 }, /must be one of/],
  ["aws:sns/topicSubscription:TopicSubscription", { protocol: "email", endpoint: "me" }, /e-mail/],
  [INSTANCE, { instanceType: "t2.small" }, /Xen/],
  [INSTANCE, { instanceType: "m4.large" }, /Xen/],
  ["aws:ssm/parameter:Parameter", { name: "/a", value: "x {{ssm:b}}" }, /can't nest another parameter/],
  ["aws:ssm/parameter:Parameter", { name: "/a", value: "{{\n}}" }, /can't nest another parameter/],
  ["aws:s3/bucketObjectv2:BucketObjectv2", { tags: many(11) }, /at most 10/],
  ["aws:route53/zone:Zone", { tags: many(11) }, /at most 10/],
  ["aws:route53/healthCheck:HealthCheck", { tags: many(11) }, /at most 10/],
  ["aws:ec2/vpc:Vpc", { tags: many(51) }, /at most 50/],
  ["aws:iam/role:Role", { tags: { Project: "a", project: "b" } }, /case insensitive/],
  ["aws:iam/instanceProfile:InstanceProfile", { tags: { Name: "a", name: "b" } }, /case insensitive/],
  ["aws:ec2/eip:Eip", { tags: { "aws:mine": "x" } }, /AWS's own/],
];

describe("inputs", () => {
  test.each(REFUSED)("%s %j is refused", async (token, inputs, words) => {
    expect((await aws.problems(token, inputs)).join("\n")).toMatch(words);
  });

  test("that are not known yet are not checked", async () => {
    expect(await aws.problems("aws:ec2/vpc:Vpc", { cidrBlock: UNKNOWN })).toEqual([]);
    expect(await aws.problems("aws:route53/record:Record", { type: "A", records: [UNKNOWN] })).toEqual([]);
  });

  test("for HTTPS, CAA and IPv6 are accepted as the program writes them", async () => {
    const record = (type: string, ...records: string[]) =>
      aws.problems("aws:route53/record:Record", { type, records, ttl: 300, name: "a.example.com" });
    expect(await record("HTTPS", '1 . alpn="h3,h2"')).toEqual([]);
    expect(
      await record("CAA", '0 issue "letsencrypt.org; validationmethods=http-01"', '0 issuewild ";"'),
    ).toEqual([]);
    expect(await record("AAAA", "2001:db8::1")).toEqual([]);
  });
});

describe("ids", () => {
  test("of missing resources are refused with the service's error", async () => {
    const make = (token: string, inputs: Props) => aws.create(token, inputs);
    await expect(make("aws:ec2/internetGateway:InternetGateway", { vpcId: "vpc-0" })).rejects.toThrow(
      "InvalidVpcID.NotFound",
    );
    await expect(make(RULE, { ...https, securityGroupId: "sg-0" })).rejects.toThrow("InvalidGroup.NotFound");
    await expect(
      make("aws:s3/bucketObjectv2:BucketObjectv2", { bucket: "none", key: "k", content: "c" }),
    ).rejects.toThrow("NoSuchBucket");
    const { subnet, group } = await aws.network();
    const inputs = {
      ami: "ami-0",
      instanceType: "t3.small",
      subnetId: subnet.id,
      vpcSecurityGroupIds: [group.id],
    };
    await expect(make(INSTANCE, inputs)).rejects.toThrow("InvalidAMIID.NotFound");
    await expect(make(INSTANCE, { ...inputs, ami: ami("arm64") })).rejects.toThrow(
      "does not match the architecture",
    );
  });

  test("of resources in use cannot be deleted, except in the right order", async () => {
    const { vpc, subnet, group } = await aws.network();
    const instance = await aws.create(INSTANCE, {
      ami: ami("amd64"),
      instanceType: "t3.small",
      subnetId: subnet.id,
      vpcSecurityGroupIds: [group.id],
    });
    await expect(aws.delete("aws:ec2/vpc:Vpc", vpc.id)).rejects.toThrow("DependencyViolation");
    await expect(aws.delete("aws:ec2/securityGroup:SecurityGroup", group.id)).rejects.toThrow(instance.id);
    await aws.delete(INSTANCE, instance.id);
    await aws.delete("aws:ec2/securityGroup:SecurityGroup", group.id);
    await aws.delete("aws:ec2/subnet:Subnet", subnet.id);
    await aws.delete("aws:ec2/vpc:Vpc", vpc.id);
    expect(aws.aws.store.all()).toEqual([]);
  });
});

describe("a conflict", () => {
  test("is refused for a duplicate rule, subnet range and record", async () => {
    const { vpc, group } = await aws.network();
    const rule = { ...https, securityGroupId: group.id };
    await aws.create(RULE, rule, "one");
    await expect(aws.create(RULE, rule, "two")).rejects.toThrow("InvalidPermission.Duplicate");
    const subnet = { vpcId: vpc.id, cidrBlock: "10.0.0.128/25" };
    await expect(aws.create("aws:ec2/subnet:Subnet", subnet)).rejects.toThrow("InvalidSubnet.Conflict");
    const zone = await aws.create("aws:route53/zone:Zone", { name: "example.com" });
    const record = { zoneId: zone.id, name: "a.example.com", type: "A", ttl: 60, records: ["192.0.2.1"] };
    await aws.create("aws:route53/record:Record", record);
    await expect(aws.create("aws:route53/record:Record", record)).rejects.toThrow("InvalidChangeBatch");
    await expect(aws.delete("aws:route53/zone:Zone", zone.id)).rejects.toThrow("HostedZoneNotEmpty");
  });

  test("is refused for a volume in another zone or attached to another machine", async () => {
    const { subnet, group } = await aws.network();
    const inputs = {
      ami: ami("amd64"),
      instanceType: "t3.small",
      subnetId: subnet.id,
      vpcSecurityGroupIds: [group.id],
    };
    const [one, two] = [await aws.create(INSTANCE, inputs), await aws.create(INSTANCE, inputs)];
    const volume = await aws.create(VOLUME, { size: 1, type: "gp3", availabilityZone: "eu-central-1a" });
    const far = await aws.create(VOLUME, { size: 1, type: "gp3", availabilityZone: "eu-central-1b" });
    const attach = (instanceId: string, volumeId: string) =>
      aws.create(ATTACHMENT, { instanceId, volumeId, deviceName: "/dev/sdf" });
    await expect(attach(one.id, far.id)).rejects.toThrow("InvalidVolume.ZoneMismatch");
    await attach(one.id, volume.id);
    await expect(attach(two.id, volume.id)).rejects.toThrow("VolumeInUse");
    await expect(aws.delete(VOLUME, volume.id)).rejects.toThrow("VolumeInUse");
    await expect(aws.update(VOLUME, volume.id, { size: 0.5 })).rejects.toThrow("cannot be smaller");
  });

  test("is refused for deleting a protected machine and a bucket with objects", async () => {
    const { subnet, group } = await aws.network();
    const instance = await aws.create(INSTANCE, {
      ami: ami("amd64"),
      instanceType: "t3.small",
      subnetId: subnet.id,
      vpcSecurityGroupIds: [group.id],
      disableApiTermination: true,
    });
    await expect(aws.delete(INSTANCE, instance.id)).rejects.toThrow("OperationNotPermitted");
    const bucket = await aws.create("aws:s3/bucket:Bucket", { bucket: "mine" });
    await aws.create("aws:s3/bucketObjectv2:BucketObjectv2", { bucket: bucket.id, key: "k", content: "c" });
    await expect(aws.delete("aws:s3/bucket:Bucket", bucket.id)).rejects.toThrow(
      /DependencyViolation|BucketNotEmpty/,
    );
  });
});

describe("the account", () => {
  const GATEWAY = "aws:ec2/internetGateway:InternetGateway";
  const EIP = "aws:ec2/eip:Eip";
  const ASSOCIATION = "aws:ec2/eipAssociation:EipAssociation";
  const INTERFACE = "aws:ec2/networkInterface:NetworkInterface";

  test("associates an address only in a VPC with a gateway, and does not detach the gateway before", async () => {
    const { vpc, subnet, group } = await aws.network();
    const port = await aws.create(INTERFACE, { subnetId: subnet.id, securityGroups: [group.id] });
    const address = await aws.create(EIP, { domain: "vpc" });
    const inputs = { allocationId: address.id, networkInterfaceId: port.id };
    await expect(aws.create(ASSOCIATION, inputs)).rejects.toThrow("Gateway.NotAttached");
    const gateway = await aws.create(GATEWAY, { vpcId: vpc.id });
    const association = await aws.create(ASSOCIATION, inputs);
    await expect(aws.delete(GATEWAY, gateway.id)).rejects.toThrow("mapped public address");
    await aws.delete(ASSOCIATION, association.id);
    await aws.delete(GATEWAY, gateway.id);
  });

  test("allows five addresses for each region, and sixty rules for each direction and family", async () => {
    for (let n = 0; n < 5; n++) await aws.create(EIP, { domain: "vpc" });
    await expect(aws.create(EIP, { domain: "vpc" })).rejects.toThrow("AddressLimitExceeded");
    const { group } = await aws.network();
    const rule = (range: Props) =>
      aws.create(RULE, {
        ipProtocol: "tcp",
        fromPort: 443,
        toPort: 443,
        ...range,
        securityGroupId: group.id,
      });
    for (let n = 0; n < 60; n++) await rule({ cidrIpv4: `10.0.${n}.0/24` });
    await expect(rule({ cidrIpv4: "10.1.0.0/24" })).rejects.toThrow("RulesPerSecurityGroupLimitExceeded");
    await rule({ cidrIpv6: "2001:db8::/32" });
    // A group counts in both families.
    await expect(rule({ referencedSecurityGroupId: group.id })).rejects.toThrow("RulesPerSecurityGroup");
  });

  test("runs a type only in zones that offer it and have capacity", async () => {
    const { subnet, group } = await aws.network();
    const inputs = {
      ami: ami("amd64"),
      instanceType: "t3.small",
      subnetId: subnet.id,
      vpcSecurityGroupIds: [group.id],
    };
    makeScarce(aws.aws, { unoffered: { "t3.small": ["eu-central-1a"] } });
    await expect(aws.create(INSTANCE, inputs)).rejects.toThrow(/Unsupported: .*not supported.*eu-central-1a/);
    makeScarce(aws.aws, { unoffered: {}, exhausted: { "t3.small": ["eu-central-1a"] } });
    await expect(aws.create(INSTANCE, inputs)).rejects.toThrow("InsufficientInstanceCapacity");
  });

  test("refuses a second group of the same name in a VPC, and does not delete a group with an interface", async () => {
    const { vpc, subnet, group } = await aws.network();
    await aws.create(INTERFACE, { subnetId: subnet.id, securityGroups: [group.id] });
    const GROUP = "aws:ec2/securityGroup:SecurityGroup";
    await expect(aws.create(GROUP, { vpcId: vpc.id, name: "edge" })).rejects.toThrow(
      "InvalidGroup.Duplicate",
    );
    const [one, two] = [
      await aws.create(GROUP, { vpcId: vpc.id }),
      await aws.create(GROUP, { vpcId: vpc.id }),
    ];
    expect(one.outs.name).not.toBe(two.outs.name);
    await expect(aws.delete(GROUP, group.id)).rejects.toThrow("DependencyViolation");
  });

  test("allows one Instance Connect endpoint for each VPC", async () => {
    const { subnet, group } = await aws.network();
    const ENDPOINT = "aws:ec2transitgateway/instanceConnectEndpoint:InstanceConnectEndpoint";
    const inputs = { subnetId: subnet.id, securityGroupIds: [group.id] };
    const first = await aws.create(ENDPOINT, inputs);
    await expect(aws.create(ENDPOINT, inputs)).rejects.toThrow("InstanceConnectEndpointLimitExceeded");
    await aws.delete(ENDPOINT, first.id);
    await aws.create(ENDPOINT, inputs);
  });
});

describe("objects", () => {
  const OBJECT = "aws:s3/bucketObjectv2:BucketObjectv2";
  const inputs = {
    bucket: "mine",
    key: "k",
    content: "c",
    contentType: "application/json",
    tags: { Project: "x" },
  };

  test("lose type and tags when they are written without them", async () => {
    await aws.create("aws:s3/bucket:Bucket", { bucket: "mine" });
    const { id } = await aws.create(OBJECT, inputs);
    expect((await aws.read(OBJECT, id)).inputs).toMatchObject({ tags: { Project: "x" } });
    putObject(aws.aws.store.home, "mine", "k", Buffer.from("other"), { contentType: "text/plain" });
    const read = await aws.read(OBJECT, id);
    expect(read.inputs).toMatchObject({ tags: {}, contentType: "text/plain" });
  });

  test("leave an older version when they are overwritten or deleted, and none when the provider deletes them", async () => {
    await aws.create("aws:s3/bucket:Bucket", { bucket: "mine" });
    const { home } = aws.aws.store;
    const { id } = await aws.create(OBJECT, inputs);
    await aws.update(OBJECT, id, { ...inputs, content: "d" });
    expect(versionsOf(home, "mine", "k")).toHaveLength(1);
    deleteObject(home, "mine", "k");
    expect(getObject(home, "mine", "k")).toBeUndefined();
    expect(versionsOf(home, "mine", "k")).toHaveLength(2);
    await expect(aws.delete("aws:s3/bucket:Bucket", "mine")).rejects.toThrow();
    await aws.delete(OBJECT, id);
    expect(versionsOf(home, "mine", "k")).toEqual([]);
    await aws.delete("aws:s3/bucket:Bucket", "mine");
  });
});

test("deleting a bucket with forceDestroy deletes its objects too", async () => {
  await aws.create("aws:s3/bucket:Bucket", { bucket: "mine", forceDestroy: true });
  await aws.create("aws:s3/bucketObjectv2:BucketObjectv2", { bucket: "mine", key: "k", content: "c" });
  await aws.delete("aws:s3/bucket:Bucket", "mine");
  expect(aws.aws.store.all()).toEqual([]);
});

describe("state", () => {
  test("has no diff without a change, and no replacement for a change in place", async () => {
    const { vpc } = await aws.network();
    const vpcInputs = { cidrBlock: "10.0.0.0/16", assignGeneratedIpv6CidrBlock: true };
    expect(await aws.diff("aws:ec2/vpc:Vpc", vpc.outs, vpcInputs)).toMatchObject({ changes: false });
    const tagged = await aws.diff("aws:ec2/vpc:Vpc", vpc.outs, { ...vpcInputs, tags: { A: "b" } });
    expect(tagged).toMatchObject({ changes: true, replaces: [] });
    const moved = await aws.diff("aws:ec2/vpc:Vpc", vpc.outs, { ...vpcInputs, cidrBlock: "10.1.0.0/16" });
    expect(moved).toMatchObject({ changes: true, replaces: ["cidrBlock"] });
  });

  test("replaces a machine for new user-data only if userDataReplaceOnChange is set", async () => {
    const outs = { userDataBase64: "YQ==", userDataReplaceOnChange: true, __asked: ["userDataBase64"] };
    const changed = { userDataBase64: "Yg==" };
    const says = await aws.diff(INSTANCE, outs, { ...changed, userDataReplaceOnChange: true });
    expect(says.replaces).toEqual(["userDataBase64"]);
    const silent = await aws.diff(
      INSTANCE,
      { ...outs, userDataReplaceOnChange: false },
      { ...changed, userDataReplaceOnChange: false },
    );
    expect(silent).toMatchObject({ changes: true, replaces: [] });
  });

  test("is read back with drift, and without deleted resources", async () => {
    const { vpc } = await aws.network();
    aws.aws.store.drift("aws:ec2/vpc:Vpc", vpc.id, { tags: { Who: "console" } });
    expect((await aws.read("aws:ec2/vpc:Vpc", vpc.id)).inputs).toMatchObject({ tags: { Who: "console" } });
    aws.aws.store.remove("aws:ec2/vpc:Vpc", vpc.id);
    expect((await aws.read("aws:ec2/vpc:Vpc", vpc.id)).id).toBe("");
  });

  test("returns a secret as a secret", async () => {
    const secret = {
      "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270",
      value: "hidden",
    };
    const made = await aws.create("aws:ssm/parameter:Parameter", {
      name: "/a/b",
      type: "SecureString",
      value: secret,
    });
    expect(made.outs.value).toEqual(secret);
    expect(made.outs.version).toBe(1);
    const again = await aws.update("aws:ssm/parameter:Parameter", "/a/b", {
      name: "/a/b",
      type: "SecureString",
      value: { ...secret, value: "other" },
    });
    expect(again.outs.version).toBe(2);
  });
});

describe("functions", () => {
  test("return the values that the program reads", async () => {
    const zones = await aws.invoke("aws:index/getAvailabilityZones:getAvailabilityZones", {
      state: "available",
    });
    expect(zones.names).toEqual(["eu-central-1a", "eu-central-1b", "eu-central-1c"]);
    const name = "/aws/service/debian/release/13/latest/arm64";
    expect((await aws.invoke("aws:ssm/getParameter:getParameter", { name })).value).toMatch(/^ami-0/);
    const zone = { name: "example.com", privateZone: false };
    await expect(aws.invoke("aws:route53/getZone:getZone", zone)).rejects.toThrow("NoSuchHostedZone");
    await expect(aws.invoke("aws:lambda/getFunction:getFunction")).rejects.toThrow("invokes.ts");
  });

  test("return a policy document in IAM's form", async () => {
    const statements = [
      {
        actions: ["sts:AssumeRole"],
        principals: [{ type: "Service", identifiers: ["ec2.amazonaws.com"] }],
      },
    ];
    const { json } = await aws.invoke("aws:iam/getPolicyDocument:getPolicyDocument", { statements });
    expect(await aws.problems("aws:iam/role:Role", { name: "r", assumeRolePolicy: json })).toEqual([]);
  });
});
