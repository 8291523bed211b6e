import { readFileSync } from "node:fs";
import { describe, expect, test } from "@jest/globals";
import { READ_ONLY } from "../infra/policy/policies/no-star-write.ts";
import { isEveryResource, type Statement, statementsOf } from "../infra/policy/statements.ts";
import { allowed } from "./aws-double/iam/evaluate.ts";
import { policiesOf } from "./aws-double/iam/principal.ts";

const read = (name: string) => readFileSync(`docs/${name}.json`, "utf8");
const files = ["deployer-policy", "preview-policy", "drift-policy"];
const statements = (name: string): Statement[] => statementsOf(read(name));

/** Quotas of IAM, without white space: an inline policy of a role 10,240 characters, a managed one 6,144. */
const INLINE_LIMIT = 10_240;

/** These make something that has no name yet, or are of no resource (service authorization reference). */
const NAMELESS = ["dlm:CreateLifecyclePolicy", "route53:CreateHealthCheck", "route53:CreateHostedZone"];

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
      // What a statement denies may be as wide as it likes.
      if (effect === "Deny") continue;
      expect({ effect, inverted }).toEqual({ effect: "Allow", inverted: false });
      for (const action of actions) expect(action).toMatch(/^[a-z0-9-]+:[A-Z]\w+\*?(Configuration)?$/);
      if (condition || !resources.some(isEveryResource)) continue;
      expect(actions.filter((action) => !READ_ONLY.test(action) && !NAMELESS.includes(action))).toEqual([]);
    }
  });

  test("changes in EC2 only what carries our tag, or is about to", () => {
    const changes = statements(name).filter(
      ({ effect, actions }) =>
        effect === "Allow" && actions.some((action) => action.startsWith("ec2:") && !READ_ONLY.test(action)),
    );
    // A VPC that is there may be built in; an image, a root volume and the endpoint's interface have no tags of ours.
    const free = ["BuildInside", "ImageAndRootVolume", "ConnectInterface"];
    for (const { sid, condition } of changes) if (!free.includes(sid)) expect(condition).toBeDefined();
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

/** The requests that the program's resources make are checked in aws-double/iam/policies.test.ts. */
test("the deployer may ask what `doctor --aws` asks", () => {
  const bucket = "arn:aws:s3:::mcp-edge-prod-artifacts-0a1b2c3";
  const asks: [string, string][] = [
    ["ssm:GetParameter", "arn:aws:ssm:eu-central-1::parameter/aws/service/debian/release/13/latest/arm64"],
    ...["Images", "InstanceTypeOfferings", "Instances", "Volumes", "SecurityGroupRules"].map(
      (what): [string, string] => [`ec2:Describe${what}`, "*"],
    ),
    ["route53:ListHostedZonesByName", "*"],
    ["route53:ListResourceRecordSets", "arn:aws:route53:::hostedzone/Z1"],
    ["cloudwatch:DescribeAlarms", "arn:aws:cloudwatch:eu-central-1:111122223333:alarm:*"],
    ["s3:GetBucketPublicAccessBlock", bucket],
    ["s3:GetBucketVersioning", bucket],
    ["s3:GetObject", `${bucket}/desired.json`],
  ];
  const policies = policiesOf("deployer", { stack: "prod" }) ?? [];
  const account = "111122223333";
  const context = { "aws:PrincipalAccount": account, "aws:ResourceAccount": account };
  const refused = asks.filter(([action, resource]) => !allowed(policies, { action, resource, context }));
  expect(refused).toEqual([]);
});
