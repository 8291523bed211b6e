import { readFileSync } from "node:fs";
import { beforeAll, describe, expect, test } from "@jest/globals";
import { AwsEdge } from "../infra/aws/index.ts";
import { LOOKS } from "../infra/policy/policies/no-star-write.ts";
import { isEveryResource, type Statement, statementsOf } from "../infra/policy/statements.ts";
import { type AwsSettings, parseSettings } from "../infra/settings.ts";
import { recording, settled } from "./infra/aws/mocks.ts";

const read = (name: string) => readFileSync(`docs/${name}.json`, "utf8");
const files = ["deployer-policy", "preview-policy", "drift-policy"];
const statements = (name: string): Statement[] => statementsOf(read(name));

/** Quotas of IAM, without white space: an inline policy of a role 10,240 characters, a managed one 6,144. */
const INLINE_LIMIT = 10_240;

/** These make something that has no name yet, or are of no resource (service authorization reference). */
const NAMELESS = ["route53:CreateHealthCheck", "route53:CreateHostedZone"];

describe.each(files)("docs/%s.json", (name) => {
  test("is a policy that IAM takes as a role's inline policy", () => {
    expect(JSON.parse(read(name)).Version).toBe("2012-10-17");
    expect(read(name).replaceAll(/\s/g, "").length).toBeLessThan(INLINE_LIMIT);
    const ids = statements(name).map(({ sid }) => sid);
    expect(new Set(ids).size).toBe(ids.length);
    for (const id of ids) expect(id).toMatch(/^[A-Za-z0-9]+$/);
  });

  test("allows no action by a star alone, and nothing but looking on every resource", () => {
    for (const { effect, actions, resources, inverted, condition } of statements(name)) {
      expect({ effect, inverted }).toEqual({ effect: "Allow", inverted: false });
      for (const action of actions) expect(action).toMatch(/^[a-z0-9-]+:[A-Z]\w+\*?$/);
      if (condition || !resources.some(isEveryResource)) continue;
      expect(actions.filter((action) => !LOOKS.test(action) && !NAMELESS.includes(action))).toEqual([]);
    }
  });

  test("changes in EC2 only what carries our tag, or is about to", () => {
    const changes = statements(name).filter(({ actions }) =>
      actions.some((action) => action.startsWith("ec2:") && !LOOKS.test(action)),
    );
    // What is there already may be built in; the thing itself must be tagged (MakeTagged).
    for (const { sid, condition } of changes)
      if (sid !== "MakeInWhatIsThere") expect(condition).toBeDefined();
  });
});

test("previews and the nightly comparison only read", () => {
  for (const name of ["preview-policy", "drift-policy"]) {
    for (const { actions } of statements(name)) {
      for (const action of actions) expect(action).toMatch(/^[a-z0-9-]+:(Describe|Get|List)/);
    }
  }
});

test("a pull request's preview reads no contents: no object, no secret, no role", () => {
  const resources = statements("preview-policy").flatMap((one) => one.resources);
  expect(resources.filter((one) => one !== "*")).toEqual(["arn:aws:ssm:*::parameter/aws/service/debian/*"]);
});

/** What it takes to make one of each type, and to take it away: the resource's page in the service authorization reference. */
const NEEDED: Record<string, string[]> = {
  "aws:cloudwatch/logGroup:LogGroup": [
    "logs:CreateLogGroup",
    "logs:PutRetentionPolicy",
    "logs:DeleteLogGroup",
  ],
  "aws:cloudwatch/metricAlarm:MetricAlarm": ["cloudwatch:PutMetricAlarm", "cloudwatch:DeleteAlarms"],
  "aws:ebs/volume:Volume": ["ec2:CreateVolume", "ec2:ModifyVolume", "ec2:CreateSnapshot", "ec2:DeleteVolume"],
  "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup": [
    "ec2:RevokeSecurityGroupIngress",
    "ec2:RevokeSecurityGroupEgress",
  ],
  "aws:ec2/eip:Eip": ["ec2:AllocateAddress", "ec2:ReleaseAddress"],
  "aws:ec2/eipAssociation:EipAssociation": ["ec2:AssociateAddress", "ec2:DisassociateAddress"],
  "aws:ec2/instance:Instance": [
    "ec2:RunInstances",
    "ec2:ModifyInstanceAttribute",
    "ec2:TerminateInstances",
    "iam:PassRole",
  ],
  "aws:ec2/internetGateway:InternetGateway": [
    "ec2:CreateInternetGateway",
    "ec2:AttachInternetGateway",
    "ec2:DetachInternetGateway",
    "ec2:DeleteInternetGateway",
  ],
  "aws:ec2/networkInterface:NetworkInterface": [
    "ec2:CreateNetworkInterface",
    "ec2:AssignIpv6Addresses",
    "ec2:DeleteNetworkInterface",
  ],
  "aws:ec2/route:Route": ["ec2:CreateRoute", "ec2:DeleteRoute"],
  "aws:ec2/routeTable:RouteTable": ["ec2:CreateRouteTable", "ec2:DeleteRouteTable"],
  "aws:ec2/routeTableAssociation:RouteTableAssociation": [
    "ec2:AssociateRouteTable",
    "ec2:DisassociateRouteTable",
  ],
  "aws:ec2/securityGroup:SecurityGroup": [
    "ec2:CreateSecurityGroup",
    "ec2:RevokeSecurityGroupEgress",
    "ec2:DeleteSecurityGroup",
  ],
  "aws:ec2/subnet:Subnet": ["ec2:CreateSubnet", "ec2:ModifySubnetAttribute", "ec2:DeleteSubnet"],
  "aws:ec2/volumeAttachment:VolumeAttachment": ["ec2:AttachVolume", "ec2:StopInstances", "ec2:DetachVolume"],
  "aws:ec2/vpc:Vpc": ["ec2:CreateVpc", "ec2:ModifyVpcAttribute", "ec2:DeleteVpc"],
  "aws:ec2transitgateway/instanceConnectEndpoint:InstanceConnectEndpoint": [
    "ec2:CreateInstanceConnectEndpoint",
    "ec2:DeleteInstanceConnectEndpoint",
    "iam:CreateServiceLinkedRole",
  ],
  "aws:iam/instanceProfile:InstanceProfile": [
    "iam:CreateInstanceProfile",
    "iam:AddRoleToInstanceProfile",
    "iam:RemoveRoleFromInstanceProfile",
    "iam:DeleteInstanceProfile",
  ],
  "aws:iam/role:Role": ["iam:CreateRole", "iam:TagRole", "iam:DeleteRole"],
  "aws:iam/rolePolicy:RolePolicy": ["iam:PutRolePolicy", "iam:GetRolePolicy", "iam:DeleteRolePolicy"],
  "aws:route53/healthCheck:HealthCheck": [
    "route53:CreateHealthCheck",
    "route53:UpdateHealthCheck",
    "route53:DeleteHealthCheck",
    "route53:ChangeTagsForResource",
  ],
  "aws:route53/record:Record": ["route53:ChangeResourceRecordSets"],
  "aws:route53/zone:Zone": [
    "route53:CreateHostedZone",
    "route53:DeleteHostedZone",
    "route53:ChangeTagsForResource",
  ],
  "aws:s3/bucket:Bucket": ["s3:CreateBucket", "s3:DeleteBucket", "s3:PutBucketTagging"],
  "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": [
    "s3:PutLifecycleConfiguration",
    "s3:GetLifecycleConfiguration",
  ],
  "aws:s3/bucketObjectv2:BucketObjectv2": [
    "s3:PutObject",
    "s3:GetObject",
    "s3:PutObjectTagging",
    "s3:DeleteObject",
    "s3:DeleteObjectVersion",
  ],
  "aws:s3/bucketOwnershipControls:BucketOwnershipControls": ["s3:PutBucketOwnershipControls"],
  "aws:s3/bucketPolicy:BucketPolicy": ["s3:PutBucketPolicy", "s3:DeleteBucketPolicy"],
  "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": ["s3:PutBucketPublicAccessBlock"],
  "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": [
    "s3:PutEncryptionConfiguration",
    "s3:GetEncryptionConfiguration",
  ],
  "aws:s3/bucketVersioning:BucketVersioning": ["s3:PutBucketVersioning"],
  "aws:sns/topic:Topic": ["sns:CreateTopic", "sns:SetTopicAttributes", "sns:DeleteTopic"],
  "aws:sns/topicSubscription:TopicSubscription": ["sns:Subscribe", "sns:Unsubscribe"],
  "aws:ssm/parameter:Parameter": [
    "ssm:PutParameter",
    "ssm:GetParameter",
    "ssm:AddTagsToResource",
    "ssm:DeleteParameter",
  ],
  "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule": [
    "ec2:AuthorizeSecurityGroupEgress",
    "ec2:RevokeSecurityGroupEgress",
  ],
  "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": [
    "ec2:AuthorizeSecurityGroupIngress",
    "ec2:RevokeSecurityGroupIngress",
  ],
};

describe("the deployer", () => {
  const allowed = statements("deployer-policy").flatMap(({ actions }) => actions);
  const may = (action: string) =>
    allowed.some((one) => one === action || (one.endsWith("*") && action.startsWith(one.slice(0, -1))));
  let types: string[] = [];

  beforeAll(async () => {
    const release = { hash: "5".repeat(64), archive: "/etc/hostname" };
    const made = async (more: Record<string, string>) => {
      const asked = await recording("prod");
      const raw = { target: "aws", domain: "mcp.example.com", ...more };
      const settings = parseSettings(raw, "prod") as AwsSettings;
      await AwsEdge.create("prod", { settings, release, region: "eu-central-1" });
      await settled();
      return asked.map(({ type }) => type);
    };
    const everything = { zone: "mcp.example.com", hostedZone: "create", logs: "cloudwatch", alarms: "full" };
    types = await made({
      ...everything,
      alarmEmail: "ops@example.com",
      secrets: '{"API_KEY":"a-secret-value"}',
    });
  });

  test("may make, change and take away all that the program makes", () => {
    const aws = [...new Set(types)].filter((type) => type.startsWith("aws:"));
    expect(aws.length).toBeGreaterThan(25);
    for (const type of aws) {
      expect({ type, missing: NEEDED[type]?.filter((action) => !may(action)) }).toEqual({
        type,
        missing: [],
      });
    }
  });

  test("may ask what `doctor --aws` asks", () => {
    const asks = [
      ...[
        "sts:GetCallerIdentity",
        "ssm:GetParameter",
        "ec2:DescribeImages",
        "ec2:DescribeInstanceTypeOfferings",
      ],
      ...["route53:ListHostedZonesByName", "route53:ListResourceRecordSets", "ec2:DescribeInstances"],
      ...["ec2:DescribeVolumes", "ec2:DescribeSecurityGroupRules", "cloudwatch:DescribeAlarms"],
      ...["s3:GetBucketPublicAccessBlock", "s3:GetBucketVersioning", "s3:GetObject"],
    ];
    expect(asks.filter((action) => !may(action))).toEqual([]);
  });
});
