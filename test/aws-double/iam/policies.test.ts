import { readFileSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import type { Account } from "../kind.ts";
import { ProgramRun } from "../run-program.ts";
import { Double } from "../support.ts";
import type { Props } from "../values.ts";
import { allowed, type Context, type Request } from "./evaluate.ts";
import { policiesOf, policyText } from "./principal.ts";

/** docs/deployer-policy.json, drift-policy.json and preview-policy.json against every request that the provider sends. */
const EVERYTHING = {
  zone: "mcp.example.com",
  hostedZone: "create",
  logs: "cloudwatch",
  alarms: "full",
  alarmEmail: "ops@example.com",
  secrets: '{"API_KEY":"a-secret-value"}',
};

/** An existing VPC with two subnets, without the program's tags. */
async function foreignNetwork(aws: Account) {
  const other = Double.over({ ...aws, role: "administrator" });
  const { vpc, subnet } = await other.network();
  await other.create("aws:ec2/internetGateway:InternetGateway", { vpcId: vpc.id });
  const second = await other.create("aws:ec2/subnet:Subnet", {
    vpcId: vpc.id,
    cidrBlock: "10.0.1.0/24",
    ipv6CidrBlock: String(vpc.outs.ipv6CidrBlock).replace("00::/56", "01::/64"),
    availabilityZone: "eu-central-1b",
  });
  return { vpcId: vpc.id, subnetIds: JSON.stringify([subnet.id, second.id]) };
}

let aws: Account;
let run: ProgramRun | undefined;

beforeEach(async () => {
  aws = await ProgramRun.account();
});

afterEach(async () => {
  run = undefined;
  await Double.over(aws).remove();
});

const PROGRAMS: [string, Record<string, string>, string][] = [
  ["with all that there is", EVERYTHING, "prod"],
  [
    "with several machines and no shell",
    {
      ...EVERYTHING,
      machines: "2",
      shell: "none",
      acme: "https://acme.example.com/dir",
      caaIssuer: "ca.example.com",
    },
    "staging",
  ],
  [
    "with a dozen tags of the user",
    {
      ...EVERYTHING,
      tags: JSON.stringify(Object.fromEntries(Array.from({ length: 12 }, (_, n) => [`tag${n}`, n]))),
    },
    "prod",
  ],
  ["with an edge that forwards packets, and an origin", { ...EVERYTHING, edge: "passthrough" }, "prod"],
  ["of dev, as it is by default", { environment: "dev", architecture: "amd64" }, "dev"],
  [
    "with a git workspace over ssh",
    { workspace: "ssh://git@git.example.com/team/code.git", zone: "example.com", hostedZone: "create" },
    "prod",
  ],
];

describe("the deployer", () => {
  test.each(PROGRAMS)("can create, read and delete a stack %s", async (_, settings, stack) => {
    run = await ProgramRun.up(settings, { stack, account: aws });
    expect(run.failures).toEqual([]);
    expect(run.made.length).toBeGreaterThan(40);
    expect(await run.readAll({ role: "drift" })).toEqual([]);
    expect(await run.destroy()).toEqual([]);
    expect(aws.store.all()).toEqual([]);
  });

  test("can create a stack in an existing VPC", async () => {
    run = await ProgramRun.up(await foreignNetwork(aws), { stack: "prod", account: aws });
    expect(run.failures).toEqual([]);
    expect(await run.destroy()).toEqual([]);
  });

  test("can make all changes in place that settings cause", async () => {
    run = await ProgramRun.up(EVERYTHING, { stack: "prod", account: aws });
    const root = run.made.find(({ name }) => name === "mcp-edge-prod-machine")?.inputs
      .rootBlockDevice as Props;
    const changes: [string, Props][] = [
      ["mcp-edge-prod-machine", { rootBlockDevice: { ...root, volumeSize: 40 } }],
      ["mcp-edge-prod-machine", { creditSpecification: { cpuCredits: "unlimited" } }],
      ["mcp-edge-prod-machine", { instanceType: "t4g.medium" }],
      ["mcp-edge-prod-machine", { disableApiTermination: false }],
      ["mcp-edge-prod-machine", { metadataOptions: { httpTokens: "required", httpPutResponseHopLimit: 2 } }],
      ["mcp-edge-prod-data", { size: 40 }],
      ["mcp-edge-prod-ingress-tcp-443-ipv4", { description: "Other words" }],
      ["mcp-edge-prod-subnet-a", { mapPublicIpOnLaunch: true }],
      ["mcp-edge-prod-interface", { description: "Other words" }],
      ["mcp-edge-prod-secret-API_KEY", { value: "another-value" }],
      ["mcp-edge-prod-alarm-host", { threshold: 2 }],
      ["mcp-edge-prod-health", { failureThreshold: 5 }],
      ["mcp-edge-prod-logs", { retentionInDays: 7 }],
      ["mcp-edge-prod-record-A", { ttl: 60 }],
      [
        "mcp-edge-prod-role-policy",
        {
          policy: JSON.stringify({
            Version: "2012-10-17",
            Statement: [{ Effect: "Allow", Action: "s3:GetObject", Resource: "*" }],
          }),
        },
      ],
      [
        "mcp-edge-prod-role",
        { description: "Other words", permissionsBoundary: "arn:aws:iam::111122223333:policy/boundary" },
      ],
      ["mcp-edge-prod-desired", { content: "{}", tags: {} }],
      ["mcp-edge-prod-zone", { comment: "Other words" }],
      ["mcp-edge-prod-backups", { state: "DISABLED" }],
    ];
    for (const [name, change] of changes) expect([name, await run.change(name, change)]).toEqual([name, []]);
    // Every tag of a user can be added and removed.
    for (const { name, type, inputs } of run.made) {
      if (!inputs.tags) continue;
      const tags = inputs.tags as Props;
      for (const now of [{ ...tags, team: "core" }, tags])
        expect([name, await run.change(name, { tags: now }, type)]).toEqual([name, []]);
    }
    const tags = { ...(root.tags as Props), team: "core" };
    expect(await run.change("mcp-edge-prod-machine", { rootBlockDevice: { ...root, tags } })).toEqual([]);
  });

  test("of one stack cannot change another stack, except resources of Route 53, which cannot be told apart", async () => {
    run = await ProgramRun.up(EVERYTHING, { stack: "prod", account: aws });
    const refused = await run.destroy({ stackOfRole: "dev" });
    const names = refused.map((line) => line.split(":")[0]);
    const rest = run.made.map(({ name }) => name).filter((name) => !names.includes(name));
    // Nothing is deleted with the default group. ZONE is `*` where the program makes the zone.
    expect(rest.sort()).toEqual(
      [
        "mcp-edge-prod-default-group",
        "mcp-edge-prod-health",
        ...["A", "AAAA", "CAA", "HTTPS"].map((type) => `mcp-edge-prod-record-${type}`),
        "mcp-edge-prod-zone",
      ].sort(),
    );
  });
});

/** Whether a role's policies allow one request, with the condition keys that AWS sets. */
const may = (
  role: "deployer" | "drift" | "preview",
  request: Request,
  more: { domain?: string; zone?: string } = {},
) =>
  allowed(policiesOf(role, { stack: "prod", domain: "mcp.example.com", zone: "Z1", ...more }) ?? [], {
    ...request,
    context: {
      "aws:PrincipalAccount": "111122223333",
      "aws:ResourceAccount": "111122223333",
      ...request.context,
    },
  });

const ec2 = (what: string) => `arn:aws:ec2:eu-central-1:111122223333:${what}`;
const iam = (what: string) => `arn:aws:iam::111122223333:${what}`;
const requestTags = (tags: Record<string, string>): Context => ({
  ...Object.fromEntries(Object.entries(tags).map(([key, value]) => [`aws:RequestTag/${key}`, value])),
  "aws:TagKeys": Object.keys(tags),
});
const has = (tags: Record<string, string>): Context =>
  Object.fromEntries(Object.entries(tags).map(([key, value]) => [`aws:ResourceTag/${key}`, value]));
const OURS = { Project: "mcp-edge", Stack: "prod" };

describe("the deployer cannot", () => {
  // Here every resource gets the tags of the request. AWS gives them to fewer, so this is the stricter case.
  const FORBIDDEN: [string, Request][] = [
    [
      "create a snapshot of an untagged volume",
      { action: "ec2:CreateSnapshot", resource: ec2("volume/vol-1"), context: requestTags(OURS) },
    ],
    [
      "open an untagged group",
      {
        action: "ec2:AuthorizeSecurityGroupIngress",
        resource: ec2("security-group/sg-1"),
        context: requestTags(OURS),
      },
    ],
    [
      "put a machine into an untagged group",
      { action: "ec2:RunInstances", resource: ec2("security-group/sg-1") },
    ],
    [
      "tag an existing group as its own",
      { action: "ec2:CreateTags", resource: ec2("security-group/sg-1"), context: requestTags(OURS) },
    ],
    [
      "tag an existing volume as its own",
      { action: "ec2:CreateTags", resource: ec2("volume/vol-1"), context: requestTags(OURS) },
    ],
    [
      "remove the rules of an untagged group",
      { action: "ec2:RevokeSecurityGroupIngress", resource: ec2("security-group/sg-1") },
    ],
    [
      "tag an untagged machine",
      { action: "ec2:CreateTags", resource: ec2("instance/i-1"), context: requestTags(OURS) },
    ],
    [
      "change another stack",
      {
        action: "ec2:TerminateInstances",
        resource: ec2("instance/i-1"),
        context: has({ Project: "mcp-edge", Stack: "dev" }),
      },
    ],
    [
      "create a resource of another stack",
      {
        action: "ec2:CreateVpc",
        resource: ec2("vpc/new"),
        context: requestTags({ Project: "mcp-edge", Stack: "dev" }),
      },
    ],
    [
      "change its own permissions",
      { action: "iam:PutRolePolicy", resource: iam("role/ci-mcp-edge-deployer") },
    ],
    [
      "change its own permissions under a former name",
      { action: "iam:PutRolePolicy", resource: iam("role/mcp-edge-ci-deployer") },
    ],
    [
      "let others assume its role",
      { action: "iam:UpdateAssumeRolePolicy", resource: iam("role/ci-mcp-edge-deployer") },
    ],
    [
      "pass an administrator's role to a machine",
      {
        action: "iam:PassRole",
        resource: iam("role/admin"),
        context: { "iam:PassedToService": "ec2.amazonaws.com" },
      },
    ],
    [
      "pass its machines' role to a function",
      {
        action: "iam:PassRole",
        resource: iam("role/mcp-edge-prod-role-0a1b2c3"),
        context: { "iam:PassedToService": "lambda.amazonaws.com" },
      },
    ],
    [
      "create other services' roles",
      {
        action: "iam:CreateServiceLinkedRole",
        resource: iam("role/aws-service-role/ecs.amazonaws.com/x"),
        context: { "iam:AWSServiceName": "ecs.amazonaws.com" },
      },
    ],
    [
      "read another stack's bucket",
      { action: "s3:GetObject", resource: "arn:aws:s3:::mcp-edge-dev-artifacts-0a1b2c3/desired.json" },
    ],
    [
      "read the bucket of a stack whose name has the same beginning",
      { action: "s3:GetObject", resource: "arn:aws:s3:::mcp-edge-prod-2-artifacts-0a1b2c3/desired.json" },
    ],
    [
      "put a release into a bucket that another account has taken",
      {
        action: "s3:PutObject",
        resource: "arn:aws:s3:::mcp-edge-prod-artifacts-0a1b2c3/desired.json",
        context: { "aws:ResourceAccount": "444455556666" },
      },
    ],
    [
      "read another stack's secrets",
      {
        action: "ssm:GetParameter",
        resource: "arn:aws:ssm:eu-central-1:111122223333:parameter/mcp-edge/dev/env/API_KEY",
      },
    ],
    [
      "write other records of the zone",
      {
        action: "route53:ChangeResourceRecordSets",
        resource: "arn:aws:route53:::hostedzone/Z1",
        context: {
          "route53:ChangeResourceRecordSetsRecordTypes": ["A"],
          "route53:ChangeResourceRecordSetsNormalizedRecordNames": ["www.example.com"],
        },
      },
    ],
    [
      "write mail records",
      {
        action: "route53:ChangeResourceRecordSets",
        resource: "arn:aws:route53:::hostedzone/Z1",
        context: {
          "route53:ChangeResourceRecordSetsRecordTypes": ["MX"],
          "route53:ChangeResourceRecordSetsNormalizedRecordNames": ["mcp.example.com"],
        },
      },
    ],
    [
      "delete another zone",
      { action: "route53:DeleteHostedZone", resource: "arn:aws:route53:::hostedzone/Z2" },
    ],
    [
      "share a snapshot",
      { action: "ec2:ModifySnapshotAttribute", resource: ec2("snapshot/snap-1"), context: has(OURS) },
    ],
  ];
  test.each(FORBIDDEN)("%s", (_, request) => {
    expect(may("deployer", request)).toBe(false);
  });

  const UNUSED = { ...OURS, Name: "mcp-edge-prod-unused" };
  const ROOT = { ...OURS, Name: "mcp-edge-prod-root" };

  test("open or use the default group of a VPC and a root volume, which it may only tag", () => {
    const group = ec2("security-group/sg-1");
    const disk = ec2("volume/vol-1");
    expect(may("deployer", { action: "ec2:CreateTags", resource: group, context: requestTags(UNUSED) })).toBe(
      true,
    );
    expect(may("deployer", { action: "ec2:CreateTags", resource: disk, context: requestTags(ROOT) })).toBe(
      true,
    );
    const then = (action: string, resource: string, tags: Record<string, string>, more: Context = {}) =>
      may("deployer", { action: `ec2:${action}`, resource, context: { ...has(tags), ...more } });
    expect(then("RevokeSecurityGroupIngress", group, UNUSED)).toBe(true);
    expect(then("ModifyVolume", disk, ROOT)).toBe(true);
    for (const action of [
      "AuthorizeSecurityGroupIngress",
      "AuthorizeSecurityGroupEgress",
      "ModifySecurityGroupRules",
      "RunInstances",
      "CreateNetworkInterface",
    ])
      expect([action, then(action, group, UNUSED)]).toEqual([action, false]);
    for (const action of ["CreateSnapshot", "AttachVolume", "DetachVolume", "DeleteVolume"])
      expect([action, then(action, disk, ROOT)]).toEqual([action, false]);
    // Another Name tag, or none, does not allow it either.
    const renamed = requestTags({ Name: "mcp-edge-prod-data" });
    expect(then("CreateTags", disk, ROOT, renamed)).toBe(false);
    expect(then("DeleteTags", disk, ROOT, { "aws:TagKeys": ["Name"] })).toBe(false);
    expect(then("DeleteTags", disk, ROOT)).toBe(false);
    expect(then("DeleteTags", disk, ROOT, { "aws:TagKeys": ["team"] })).toBe(true);
  });
});

test("with the boundary of docs/environments.md, no role can be created without it or lose it", () => {
  const text = readFileSync("docs/environments.md", "utf8");
  const [, block = ""] = /add these to the deployer's policy:\n\n```json\n([\s\S]*?)```/.exec(text) ?? [];
  const boundary = "arn:aws:iam::ACCOUNT:policy/BOUNDARY";
  const policies = [...(policiesOf("deployer", { stack: "prod" }) ?? []), { Statement: JSON.parse(block) }];
  const on = (action: string, context: Context = {}) =>
    allowed(policies, { action: `iam:${action}`, resource: iam("role/mcp-edge-prod-role-0a1b2c3"), context });
  for (const action of ["CreateRole", "PutRolePolicy", "PutRolePermissionsBoundary"]) {
    expect([action, on(action, { "iam:PermissionsBoundary": boundary })]).toEqual([action, true]);
    expect([action, on(action, { "iam:PermissionsBoundary": `${boundary}-wide` })]).toEqual([action, false]);
    expect([action, on(action)]).toEqual([action, false]);
  }
  expect(on("DeleteRolePermissionsBoundary")).toBe(false);
});

describe("the preview role", () => {
  test("can create and delete no resource, and read no content", async () => {
    run = await ProgramRun.up(EVERYTHING, { stack: "dev", account: aws });
    expect(await run.destroy({ role: "preview" })).toHaveLength(run.made.length - 1);
    const refused = await run.readAll({ role: "preview" });
    expect(refused.filter((line) => /role|bucket|secret|desired/.test(line)).length).toBeGreaterThan(3);
    const names = new Set(["mcp-edge-dev", "x"]);
    for (const action of ["s3:GetObject", "ssm:GetParameter", "iam:GetRole"])
      for (const name of names)
        expect(may("preview", { action, resource: `arn:aws:s3:::${name}` })).toBe(false);
  });

  test("is sufficient for the data sources", async () => {
    const preview = Double.over({ ...aws, role: "preview" });
    await Double.over({ ...aws, role: "administrator" }).create("aws:route53/zone:Zone", {
      name: "example.com",
    });
    await preview.invoke("aws:index/getAvailabilityZones:getAvailabilityZones");
    await preview.invoke("aws:ssm/getParameter:getParameter", {
      name: "/aws/service/debian/release/13/latest/arm64",
    });
    await preview.invoke("aws:route53/getZone:getZone", { name: "example.com" });
    const secret = preview.invoke("aws:ssm/getParameter:getParameter", { name: "/mcp-edge/dev/env/API_KEY" });
    await expect(secret).rejects.toThrow("AccessDenied");
  });
});

describe("the deployer's policy", () => {
  const requests: Request[] = [];
  let statements: Props[] = [];

  beforeEach(async () => {
    if (requests.length > 0) return;
    statements = policiesOf("deployer", { stack: "prod" })?.[0]?.Statement as Props[];
    run = await ProgramRun.up(
      { ...EVERYTHING, edge: "passthrough" },
      {
        stack: "prod",
        account: { ...aws, onRequest: (request) => requests.push(request) },
      },
    );
    await run.readAll({});
    for (const { name, type, inputs } of run.made)
      if (inputs.tags)
        for (const tags of [{ ...(inputs.tags as Props), team: "a" }, inputs.tags])
          await run.change(name, { tags }, type);
    await run.destroy();
  });

  test("has only permissions that the program or doctor needs", () => {
    const rights = statements
      .filter(({ Effect }) => Effect === "Allow")
      .flatMap(({ Action }) => [Action].flat())
      .map(String);
    const matches = (right: string, action: string) =>
      new RegExp(`^${right.replaceAll("*", ".*")}$`).test(action);
    const used = (right: string) => requests.some(({ action }) => matches(right, action));
    const idle = [...new Set(rights.filter((right) => !used(right)))].sort();
    expect(idle).toEqual(IDLE);
  });

  test("has only statements without which a stack cannot be created, changed or deleted", () => {
    const needless = statements
      .filter(({ Effect }) => Effect === "Allow")
      .filter((one) => {
        const rest = [{ Statement: statements.filter((other) => other !== one) }];
        return requests.every((request) => allowed(rest, request));
      });
    expect(needless.map(({ Sid }) => Sid)).toEqual([]);
  });

  test("may lack the statement for the root volume's tags: the provider ignores the denial, and the missing tags are drift", async () => {
    const Statement = statements.filter(({ Sid }) => Sid !== "AdoptRootVolume");
    run = await ProgramRun.up({}, { account: { ...aws, policies: [{ Statement }] } });
    expect(run.failures).toEqual([]);
    const machine = run.made.find(({ name }) => name === "mcp-edge-prod-machine");
    const tags = (inputs: Props | undefined) => (inputs?.rootBlockDevice as Props | undefined)?.tags;
    expect(tags(machine?.inputs)).toMatchObject({ Project: "mcp-edge" });
    expect(tags(aws.store.get("aws:ec2/instance:Instance", machine?.id ?? "")?.inputs)).toEqual({});
    // The untagged volume cannot grow.
    const root = { ...(machine?.inputs.rootBlockDevice as Props), volumeSize: 40 };
    expect((await run.change("mcp-edge-prod-machine", { rootBlockDevice: root }))[0]).toContain(
      "ec2:ModifyVolume",
    );
  });
});

/** Permissions that this run does not use, and what uses them. */
const IDLE = [
  // `doctor --aws`, and a person who investigates a failure.
  ...["ec2:GetConsoleOutput", "sts:GetCallerIdentity"],
  // Changes in place: see "can make all changes in place that settings cause".
  ...["ec2:AssociateIamInstanceProfile", "ec2:ModifySecurityGroupRules"],
  ...["ec2:ModifySubnetAttribute", "ec2:ModifyVolume", "ec2:ReplaceIamInstanceProfileAssociation"],
  ...["ec2:ReplaceRoute", "ec2:StartInstances", "iam:UpdateAssumeRolePolicy", "iam:UpdateRoleDescription"],
  ...["iam:DeleteRolePermissionsBoundary", "iam:PutRolePermissionsBoundary", "logs:DeleteRetentionPolicy"],
  ...["route53:UpdateHealthCheck", "route53:UpdateHostedZoneComment", "s3:DeleteObjectTagging"],
  ...["dlm:Update*", "sns:SetSubscriptionAttributes", "sns:SetTopicAttributes"],
  // An interrupted upload.
  "s3:AbortMultipartUpload",
].sort();

test("the deployer's policy and the one for the state fit into the 10,240 characters of a role's inline policies", () => {
  const state = JSON.stringify({
    Version: "2012-10-17",
    Statement: [
      {
        Effect: "Allow",
        Action: "s3:ListBucket",
        Resource: "arn:aws:s3:::a-company-with-a-long-name-pulumi-state",
      },
      {
        Effect: "Allow",
        Action: ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"],
        Resource: "arn:aws:s3:::a-company-with-a-long-name-pulumi-state/production/*",
      },
    ],
  });
  const longest = "s".repeat(24);
  const text = policyText("deployer")
    .replaceAll("STACK", longest)
    .replaceAll("DOMAIN", "d".repeat(100))
    .replaceAll("ZONE", "Z".repeat(21))
    .replaceAll(/\s/g, "");
  expect(text.length + state.length).toBeLessThan(10_240);
});
