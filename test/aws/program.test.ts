import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { roleCredentials } from "../aws-double/account.ts";
import { Store } from "../aws-double/store.ts";
import { AwsCheckout, settings } from "./support.ts";

/** The program, the policies and the real engine against the double's account. Nothing boots, so no root is needed. */
let aws: AwsCheckout;

beforeAll(async () => {
  aws = await AwsCheckout.create({ cloud: false });
}, 600_000);

afterAll(() => aws?.remove(), 600_000);

const resources = () => readdir(join(aws.home, "resources"));

describe("a preview of a fresh stack", () => {
  test("in prod passes every policy and creates nothing", async () => {
    await aws.stack("prod", settings({ hostedZone: "create" }));
    const { code, stdout } = await aws.pulumi("preview", "--stack", "prod", "--policy-pack", "infra/policy");
    expect(stdout).toContain("mcp-edge@v");
    expect(stdout).not.toContain("[mandatory]");
    expect(code).toBe(0);
    expect(await resources()).toEqual([]);
  }, 600_000);

  test("fails for a missing zone with the provider's message", async () => {
    await aws.stack("zoneless", settings());
    const { code, all } = await aws.pulumi("preview", "--stack", "zoneless");
    expect(all).toContain("no matching Route 53 Hosted Zone found");
    expect(code).not.toBe(0);
  }, 600_000);
});

describe("a policy that fails", () => {
  test("stops up before anything is created, and names the rule and its fix", async () => {
    await aws.stack("staging", settings({ hostedZone: "create", instanceType: "c7i.48xlarge" }));
    const { code, stdout } = await aws.pulumi(
      ...["up", "--yes", "--suppress-progress", "--stack", "staging", "--policy-pack", "infra/policy"],
    );
    expect(code).not.toBe(0);
    expect(stdout).toMatch(/\[mandatory\].*instance-types/);
    expect(stdout).toContain("Set mcp-edge:instanceType: t4g.small");
    expect(await resources()).toEqual([]);
  }, 600_000);
});

test("the example's two edges are created in one stack, and pass every policy", async () => {
  const { accessKeyId, secretAccessKey } = roleCredentials(aws.home, "administrator");
  const credentials = { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey };
  const example = (...args: string[]) =>
    aws.as(credentials).pulumi("--cwd", "examples/two-edges", ...args, "--stack", "prod");
  await example("stack", "init");
  await example("config", "set", "aws:region", "eu-central-1");
  const pack = ["--policy-pack", "../../infra/policy", "--exclude", "**-converged"];
  const up = await example("up", "--yes", "--skip-preview", "--suppress-progress", ...pack);
  if (up.code !== 0) throw new Error(up.all);
  expect(up.all).not.toMatch(/\[(mandatory|advisory)\]/);
  const store = new Store(aws.home);
  for (const type of ["ec2/instance:Instance", "s3/bucket:Bucket", "ec2/securityGroup:SecurityGroup"])
    expect([type, store.all(`aws:${type}`).length]).toEqual([type, type.includes("Group") ? 4 : 2]);
}, 600_000);
