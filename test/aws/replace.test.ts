import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { roleCredentials } from "../aws-double/account.ts";
import type { Role } from "../aws-double/iam/principal.ts";
import { putObject } from "../aws-double/objects.ts";
import { Store } from "../aws-double/store.ts";
import { AwsCheckout, settings } from "./support.ts";

/**
 * The real engine with an existing stack, without machines that boot: replacements of resources that can exist only once,
 * and the read-only roles. The tests run in order.
 */
const stack = "dev";
let aws: AwsCheckout;
const store = () => new Store(aws.home);

/** No machine boots, so the program does not wait for a report. */
const up = async (...more: string[]) => {
  const { code, all } = await aws.up(stack, "--exclude", "**-converged", ...more);
  if (code !== 0) throw new Error(all);
  return all;
};

/** Environment variables with which the engine uses a role. */
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
}, 600_000);

afterAll(() => aws?.remove(), 600_000);

describe("a stack of an earlier version, whose groups have fixed names", () => {
  test("keeps the groups and their names", async () => {
    const described = "description: about.description,";
    await aws.checkout.edit("infra/aws/firewall.ts", described, `name: "mcp-edge-dev", ${described}`);
    await aws.checkout.edit("infra/aws/shell.ts", SHELL, `name: "mcp-edge-dev-shell", ${SHELL}`);
    await up();
    const before = groups();
    expect(before.map(({ name }) => name).sort()).toEqual(["mcp-edge-dev", "mcp-edge-dev-shell"]);
    await aws.checkout.git("checkout", "-q", "infra");
    await up("--expect-no-changes");
    expect(groups()).toEqual(before);
  }, 600_000);
});

describe("a group whose description changes", () => {
  test("is replaced while an interface and an endpoint are in it, and gets a generated name", async () => {
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
    // A second time, to show that a generated name is not used again.
    await aws.checkout.edit("infra/aws/firewall.ts", "in other words", "in yet other words");
    await up();
    expect(groups()).toHaveLength(2);
  }, 600_000);
});

describe("an Instance Connect endpoint in another subnet", () => {
  test("is deleted before the new one is created", async () => {
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
  }, 600_000);
});

/** Every file of the state with the time of its last change. */
function stateFiles(folder = join(aws.checkout.folder, ".pulumi-state")): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .map((name) => `${name} ${statSync(join(folder, name)).mtimeMs}`)
    .sort();
}

describe("a preview", () => {
  test("with --refresh and the drift role finds no change, and writes nothing into the state", async () => {
    const before = stateFiles();
    const run = await aws
      .as(as("drift"))
      .pulumi("preview", "--stack", stack, "--refresh", "--expect-no-changes", "--exclude", "**-converged");
    if (run.code !== 0) throw new Error(run.all);
    expect(stateFiles()).toEqual(before);
  }, 600_000);

  test("finds no change after a second attempt of a deployment, but finds lost tags and a lost type of the object", async () => {
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
  }, 600_000);

  test("with the preview role works without --refresh and is refused with it, and writes nothing into the state", async () => {
    const preview = aws.as(as("preview"));
    const before = stateFiles();
    const seen = await preview.pulumi("preview", "--stack", stack);
    if (seen.code !== 0) throw new Error(seen.all);
    const refused = await preview.pulumi("preview", "--stack", stack, "--refresh");
    expect(refused.code).not.toBe(0);
    expect(refused.all).toContain("is not authorized to perform");
    expect(stateFiles()).toEqual(before);
  }, 600_000);
});
