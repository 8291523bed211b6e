import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { projectRoot } from "../../infra/paths.ts";
import { AwsCheckout } from "./support.ts";

/**
 * A stack of the first version: `pulumi stack export` after its `up` on the double, with every optional part, fixed physical names
 * and a machine that the setting `machine` had replaced. Source positions and user-data are left out.
 */
const STACK = join(projectRoot, "test/aws/stack-0.1.json.gz");
const SETTINGS = {
  ...{ target: "aws", domain: "mcp.example.com", zone: "example.com", hostedZone: "create" },
  ...{ acme: "letsencrypt-staging", architecture: "amd64", workspace: "https://git.example.com/a/b.git" },
  ...{ alarms: "full", alarmEmail: "ops@example.com", logs: "cloudwatch", backups: "7", protect: "true" },
};

interface Step {
  op: string;
  urn: string;
}

let aws: AwsCheckout;

beforeAll(async () => {
  aws = await AwsCheckout.create({ cloud: false });
  const config = Object.fromEntries(
    Object.entries(SETTINGS).map(([key, value]) => [`mcp-edge:${key}`, value]),
  );
  await aws.stack("dev", config, { "mcp-edge:secrets": '{"API_KEY":"a-secret-value"}' });
  const file = join(aws.checkout.folder, "stack.json");
  await writeFile(file, gunzipSync(await readFile(STACK)));
  await aws.must("stack", "import", "--stack", "dev", "--file", file);
}, 600_000);

afterAll(() => aws?.remove(), 600_000);

test("an upgrade replaces nothing, and deletes only the archives of the previous deployment", async () => {
  const preview = await aws.pulumi("preview", "--stack", "dev", "--json");
  if (preview.code !== 0) throw new Error(preview.all);
  const { steps } = JSON.parse(preview.stdout) as { steps: Step[] };
  const of = (...ops: string[]) =>
    steps.filter(({ op }) => ops.includes(op)).map(({ urn }) => urn.split("::").at(-1));
  // A physical name that changes would be a replacement. Each deployment has archives of its own; the earlier ones stay in the bucket.
  const isArchive = (name = "") => /^(mcp-edge-)?dev-(release|files)-[0-9a-f]{12}$/.test(name);
  expect(
    of("delete", "replace", "create-replacement", "delete-replaced").filter((name) => !isArchive(name)),
  ).toEqual([]);
  // Two alarms are newer than that stack, and the wait was left out of the export.
  expect(
    of("create")
      .filter((name) => !isArchive(name))
      .sort(),
  ).toEqual(["mcp-edge-dev-alarm-certificate-ends", "mcp-edge-dev-alarm-flows", "mcp-edge-dev-converged"]);
}, 600_000);
