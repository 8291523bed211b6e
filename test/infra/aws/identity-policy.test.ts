import { describe, expect, test } from "@jest/globals";
import { machinePolicy } from "../../../infra/aws/identity-policy.ts";
import { allowed } from "../../aws-double/iam/evaluate.ts";

const ACCOUNT = "111122223333";
const AROUND = {
  parameterPath: "/mcp-edge/prod/env",
  region: "eu-central-1",
  accountId: ACCOUNT,
  bucketArn: `arn:aws:s3:::mcp-edge-prod-${ACCOUNT}`,
  logGroupArn: `arn:aws:logs:eu-central-1:${ACCOUNT}:log-group:/mcp-edge/prod`,
  metrics: true,
  challengeZone: "Z0123456789ABC",
  names: ["mcp.example.com", "token.example.com"],
};
const policy = machinePolicy(AROUND);

const may = (action: string, resource: string, context: Record<string, string | string[]> = {}) =>
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

  test("can make and delete the record of its challenge, and no other one, in its zone alone", () => {
    const change = (action: string, name: string, type = "TXT", zone = "Z0123456789ABC") =>
      may("route53:ChangeResourceRecordSets", `arn:aws:route53:::hostedzone/${zone}`, {
        "route53:ChangeResourceRecordSetsNormalizedRecordNames": [name],
        "route53:ChangeResourceRecordSetsRecordTypes": [type],
        "route53:ChangeResourceRecordSetsActions": [action],
      });
    const name = "_acme-challenge.mcp.example.com";
    expect(["UPSERT", "DELETE", "CREATE"].map((action) => change(action, name))).toEqual([true, true, false]);
    expect(change("UPSERT", "_acme-challenge.token.example.com")).toBe(true);
    expect(change("UPSERT", name, "A")).toBe(false);
    expect(change("UPSERT", name, "TXT", "Z9")).toBe(false);
    for (const other of ["mcp.example.com", "_acme-challenge.example.com", "example.com"])
      expect([other, change("UPSERT", other)]).toEqual([other, false]);
    expect(may("route53:GetChange", "arn:aws:route53:::change/C0123")).toBe(true);
    for (const action of ["ListHostedZones", "ListResourceRecordSets", "DeleteHostedZone"])
      expect([action, may(`route53:${action}`, "arn:aws:route53:::hostedzone/Z0123456789ABC")]).toEqual([
        action,
        false,
      ]);
    const overHttp = machinePolicy({ ...AROUND, challengeZone: "" });
    expect(JSON.stringify(overHttp)).not.toContain("route53");
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
