import { describe, expect, test } from "@jest/globals";
import { machinePolicy } from "../../../infra/aws/identity-policy.ts";
import { allowed } from "../../aws-double/iam/evaluate.ts";

const ACCOUNT = "111122223333";
const policy = machinePolicy({
  parameterPath: "/mcp-edge/prod/env",
  region: "eu-central-1",
  accountId: ACCOUNT,
  bucketArn: `arn:aws:s3:::mcp-edge-prod-${ACCOUNT}`,
  logGroupArn: `arn:aws:logs:eu-central-1:${ACCOUNT}:log-group:/mcp-edge/prod`,
  metrics: true,
});

const may = (action: string, resource: string, context: Record<string, string> = {}) =>
  allowed([JSON.parse(JSON.stringify(policy))], {
    action,
    resource,
    context: { "aws:ResourceAccount": ACCOUNT, ...context },
  });
const object = (key: string) => `arn:aws:s3:::mcp-edge-prod-${ACCOUNT}/${key}`;
const parameter = (path: string) => `arn:aws:ssm:eu-central-1:${ACCOUNT}:parameter${path}`;

describe("a machine", () => {
  test("can read its deployment and write its status, but can neither write its deployment nor read a status", () => {
    for (const key of ["desired.json", "releases/a.tar.zst", "files/files-a.tar", "workspaces/a.bundle"]) {
      expect([key, may("s3:GetObject", object(key))]).toEqual([key, true]);
      expect([key, may("s3:PutObject", object(key))]).toEqual([key, false]);
      expect([key, may("s3:DeleteObject", object(key))]).toEqual([key, false]);
    }
    expect(may("s3:PutObject", object("status/i-1.json"))).toBe(true);
    expect(may("s3:GetObject", object("status/i-1.json"))).toBe(false);
    expect(may("s3:ListBucket", `arn:aws:s3:::mcp-edge-prod-${ACCOUNT}`)).toBe(false);
  });

  test("cannot read a bucket of the same name in another account", () => {
    const foreign = { "aws:ResourceAccount": "444455556666" };
    expect(may("s3:GetObject", object("desired.json"), foreign)).toBe(false);
    expect(may("s3:PutObject", object("status/i-1.json"), foreign)).toBe(false);
  });

  test("can read the parameters of its own stack, and write its own metrics and logs", () => {
    expect(may("ssm:GetParametersByPath", parameter("/mcp-edge/prod/env"))).toBe(true);
    expect(may("ssm:GetParametersByPath", parameter("/mcp-edge/prod-2/env"))).toBe(false);
    expect(may("ssm:GetParametersByPath", parameter("/"))).toBe(false);
    const into = (namespace: string) =>
      may("cloudwatch:PutMetricData", "*", { "cloudwatch:namespace": namespace });
    expect([into("mcp-edge"), into("AWS/EC2")]).toEqual([true, false]);
    const stream = (group: string) =>
      may(
        "logs:PutLogEvents",
        `arn:aws:logs:eu-central-1:${ACCOUNT}:log-group:${group}:log-stream:i-1/journal`,
      );
    expect([stream("/mcp-edge/prod"), stream("/mcp-edge/dev")]).toEqual([true, false]);
  });
});
