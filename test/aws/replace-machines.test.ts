import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { accountOf, roleCredentials } from "../aws-double/account.ts";
import { apiServer } from "../aws-double/endpoint/api.ts";
import { getObject, putObject } from "../aws-double/objects.ts";
import { Store } from "../aws-double/store.ts";
import { text } from "../aws-double/values.ts";
import { AwsCheckout, settings } from "./support.ts";

/** `mcp-edge replace` with the real engine on the double. In place of booted machines, each instance reports that it is done. */
const stack = "dev";
const INSTANCE = "aws:ec2/instance:Instance";
let aws: AwsCheckout;
let server: Server;
let reports: NodeJS.Timeout;
/** The sets of instances that existed at the same time, in order. */
const instanceSets: string[] = [];

const store = () => new Store(aws.home);
const instances = () => store().all(INSTANCE);
const volumes = () =>
  store()
    .all("aws:ebs/volume:Volume")
    .map(({ id }) => id)
    .sort();

/** Writes a status, as mcp-edge-pull does, for every instance that has none for desired.json. */
function report(): void {
  const now = instances()
    .map(({ id }) => id)
    .sort()
    .join(" ");
  if (now !== instanceSets.at(-1)) instanceSets.push(now);
  const bucket = store().all("aws:s3/bucket:Bucket")[0]?.id;
  const wanted = bucket && getObject(aws.home, bucket, "desired.json")?.content.toString();
  if (!wanted) return;
  const { generation } = JSON.parse(wanted);
  for (const { id } of instances()) {
    const status = {
      ...{ instance: id, generation, phase: "done", ok: true, release: "", files: "", cloudInit: "done" },
      ...{ certificate: "issued", certificateProblem: "", steps: [], log: "" },
    };
    const content = Buffer.from(JSON.stringify(status));
    putObject(aws.home, bucket, `status/${id}.json`, content, { contentType: "application/json" });
  }
}

beforeAll(async () => {
  aws = await AwsCheckout.create({ cloud: false });
  const account = accountOf({ AWS_DOUBLE_HOME: aws.home, AWS_REGION: "eu-central-1" });
  server = apiServer(account, () => {});
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const { accessKeyId, secretAccessKey } = roleCredentials(aws.home, "deployer");
  aws = aws.as({
    AWS_ENDPOINT_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
  });
  const acme = { acme: "https://ca.example.com/directory", caaIssuer: "ca.example.com" };
  const two = { machines: "2", ...acme, allowedCidrs: ["192.0.2.0/24"] };
  await aws.stack(
    stack,
    settings({ hostedZone: "create", workspace: "https://git.example.com/a.git", ...two }),
  );
  const { code, all } = await aws.up(stack, "--exclude", "**-converged");
  if (code !== 0) throw new Error(all);
  reports = setInterval(report, 50);
}, 600_000);

afterAll(async () => {
  clearInterval(reports);
  server?.close();
  await aws?.remove();
}, 600_000);

test("replaces one machine after the other, and keeps data volumes and addresses", async () => {
  const before = instances().map(({ id }) => id);
  const [kept, interfaces] = [volumes(), store().all("aws:ec2/networkInterface:NetworkInterface")];
  const result = await aws.cli("replace", "--stack", stack, "--json");
  if (result.code !== 0) throw new Error(result.stderr);
  expect(JSON.parse(result.stdout).changes).toHaveLength(2);
  expect(instances().filter(({ id }) => before.includes(id))).toEqual([]);
  expect(volumes()).toEqual(kept);
  expect(store().all("aws:ec2/networkInterface:NetworkInterface")).toEqual(interfaces);
  for (const { inputs } of store().all("aws:ec2/volumeAttachment:VolumeAttachment"))
    expect(instances().map(({ id }) => id)).toContain(text(inputs, "instanceId"));
  // At least one machine exists at any time.
  expect(instanceSets.filter((ids) => ids === "")).toEqual([]);
}, 600_000);
