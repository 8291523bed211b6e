import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { roleCredentials } from "../aws-double/account.ts";
import type { Role } from "../aws-double/iam/principal.ts";
import { putObject } from "../aws-double/objects.ts";
import { Store } from "../aws-double/store.ts";
import { AwsCheckout, settings } from "./support.ts";

/**
 * What the real engine does with a stack that is there, without machines that boot: replacements of what can be there once only,
 * and the roles that look but do not touch. In order.
 */
const stack = "dev";
let aws: AwsCheckout;
const store = () => new Store(aws.home);

/** Nothing reports, so nobody waits for it. */
const up = async (...more: string[]) => {
  const { code, all } = await aws.up(stack, "--exclude", "**-converged", ...more);
  if (code !== 0) throw new Error(all);
  return all;
};

/** Variables with which the engine acts as a role. */
const as = (role: Role) => {
  const { accessKeyId, secretAccessKey } = roleCredentials(aws.home, role);
  return { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey };
};

const groups = () =>
  store()
    .all("aws:ec2/securityGroup:SecurityGroup")
    .map(({ id, inputs }) => ({ id, name: String(inputs.name), description: String(inputs.description) }));

const FIREWALL = 'description: "mcp-edge: HTTP/3, HTTP/2 and HTTP/1.1 from outside"';
const SHELL = 'description: "mcp-edge: EC2 Instance Connect endpoint"';

beforeAll(async () => {
  aws = await AwsCheckout.create({ cloud: false });
  await aws.stack(stack, settings({ hostedZone: "create", workspace: "https://git.example.com/a/b.git" }));
}, 60_000);

afterAll(() => aws?.remove(), 60_000);

describe("a stack of before, whose groups have names of their own", () => {
  test("keeps them", async () => {
    await aws.checkout.edit("infra/aws/firewall.ts", FIREWALL, `name: "mcp-edge-dev", ${FIREWALL}`);
    await aws.checkout.edit("infra/aws/shell.ts", SHELL, `name: "mcp-edge-dev-shell", ${SHELL}`);
    await up();
    const before = groups();
    expect(before.map(({ name }) => name).sort()).toEqual(["mcp-edge-dev", "mcp-edge-dev-shell"]);
    await aws.checkout.git("checkout", "-q", "infra");
    await up("--expect-no-changes");
    expect(groups()).toEqual(before);
  }, 180_000);
});

describe("a group whose description changes", () => {
  test("is replaced under the interface and the endpoint that are in it, and has a name of its own then", async () => {
    const before = groups();
    const port = store().all("aws:ec2/networkInterface:NetworkInterface")[0]?.id;
    await aws.checkout.edit("infra/aws/firewall.ts", FIREWALL, 'description: "mcp-edge: in other words"');
    await aws.checkout.edit("infra/aws/shell.ts", SHELL, 'description: "mcp-edge shell: in other words"');
    await up();
    const after = groups();
    expect(after.map(({ description }) => description).sort()).toEqual([
      "mcp-edge shell: in other words",
      "mcp-edge: in other words",
    ]);
    for (const { id, name } of after)
      expect([before.some((one) => one.id === id || one.name === name), name]).toEqual([false, name]);
    expect(
      store()
        .all("aws:ec2/networkInterface:NetworkInterface")
        .map(({ id }) => id),
    ).toEqual([port]);
    // And once more: a name that the engine has made up is not used again.
    await aws.checkout.edit("infra/aws/firewall.ts", "in other words", "in yet other words");
    await up();
    expect(groups()).toHaveLength(2);
  }, 240_000);
});

describe("an Instance Connect endpoint in another subnet", () => {
  test("stops before the new one starts", async () => {
    const TOKEN = "aws:ec2transitgateway/instanceConnectEndpoint:InstanceConnectEndpoint";
    const [before] = store().all(TOKEN);
    await aws.checkout.edit(
      "infra/aws/index.ts",
      "const subnetId = (network.subnets[0] as Subnet).id;",
      "const subnetId = (network.subnets[1] as Subnet).id;",
    );
    await up();
    const after = store().all(TOKEN);
    expect(after).toHaveLength(1);
    expect(after[0]?.id).not.toBe(before?.id);
    expect(after[0]?.inputs.subnetId).not.toBe(before?.inputs.subnetId);
  }, 120_000);
});

/** Every file of the state with the time of its last change. */
function stateFiles(folder = join(aws.checkout.folder, ".pulumi-state")): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .map((name) => `${name} ${statSync(join(folder, name)).mtimeMs}`)
    .sort();
}

describe("looking", () => {
  test("at a stack with the drift role finds no change, and writes nothing into the state", async () => {
    const before = stateFiles();
    const run = await aws
      .as(as("drift"))
      .pulumi("preview", "--stack", stack, "--refresh", "--expect-no-changes", "--exclude", "**-converged");
    if (run.code !== 0) throw new Error(run.all);
    expect(stateFiles()).toEqual(before);
  }, 90_000);

  test("after a deployment that was tried again finds no change; after one that lost the object's tags and type it does", async () => {
    const drift = () =>
      aws
        .as(as("drift"))
        .pulumi("preview", "--stack", stack, "--refresh", "--expect-no-changes", "--exclude", "**-converged");
    const [desired] = store()
      .all("aws:s3/bucketObjectv2:BucketObjectv2")
      .filter(({ inputs }) => inputs.key === "desired.json");
    const bucket = String(desired?.inputs.bucket);
    const again = Buffer.from(
      `${JSON.stringify({ ...JSON.parse(String(desired?.inputs.content)), attempt: 2 })}\n`,
    );
    const tags = desired?.inputs.tags as Record<string, string>;
    putObject(aws.home, bucket, "desired.json", again, { contentType: "application/json", tags });
    const kept = await drift();
    if (kept.code !== 0) throw new Error(kept.all);
    putObject(aws.home, bucket, "desired.json", again, { contentType: "text/plain" });
    const lost = await drift();
    expect(lost.code).not.toBe(0);
    expect(lost.all).toMatch(/mcp-edge-dev-desired\s+update/);
    putObject(aws.home, bucket, "desired.json", again, { contentType: "application/json", tags });
  }, 120_000);

  test("with the preview role suffices for a preview, and not for a refresh; neither writes into the state", async () => {
    const preview = aws.as(as("preview"));
    const before = stateFiles();
    const seen = await preview.pulumi("preview", "--stack", stack);
    if (seen.code !== 0) throw new Error(seen.all);
    const refused = await preview.pulumi("preview", "--stack", stack, "--refresh");
    expect(refused.code).not.toBe(0);
    expect(refused.all).toContain("is not authorized to perform");
    expect(stateFiles()).toEqual(before);
  }, 120_000);
});
