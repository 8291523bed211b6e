import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { runAwsDoctor } from "../../cli/doctor/aws/run.ts";
import { type AwsSettings, parseSettings } from "../../infra/settings.ts";
import { roleCredentials } from "./account.ts";
import { apiServer } from "./endpoint/api.ts";
import type { Account } from "./kind.ts";
import { getObject, putObject } from "./objects.ts";
import { ProgramRun } from "./run-program.ts";
import { firstState } from "./services/alarm-state.ts";
import { makeScarce } from "./services/offerings.ts";
import { Double } from "./support.ts";

/** The program in an account that lacks something or is slow. */
let aws: Account;

beforeEach(async () => {
  aws = await ProgramRun.account();
});

afterEach(() => Double.over(aws).remove());

const GATEWAY = "aws:ec2/internetGateway:InternetGateway";
const RULES = ["Ingress", "Egress"].map((one) => `aws:vpc/securityGroup${one}Rule:SecurityGroup${one}Rule`);

describe("order", () => {
  test("addresses are associated after the gateway, and machines created after their routes and rules", async () => {
    const slow = Object.fromEntries([GATEWAY, "aws:ec2/route:Route", ...RULES].map((type) => [type, 60]));
    const run = await ProgramRun.up(
      { machines: "2", acme: "https://ca.example.com/directory" },
      { account: aws, slow },
    );
    expect(run.failures).toEqual([]);
    const types = run.made.map(({ type }) => type);
    const first = types.indexOf("aws:ec2/instance:Instance");
    for (const type of [
      GATEWAY,
      "aws:ec2/route:Route",
      "aws:ec2/routeTableAssociation:RouteTableAssociation",
    ])
      expect([type, types.lastIndexOf(type) < first]).toEqual([type, true]);
    // The machine does not wait for the shell's rule, which needs the endpoint's group.
    const rules = run.made.flatMap(({ type, name }, at) => (RULES.includes(type) ? [{ name, at }] : []));
    for (const { name, at } of rules)
      if (!/-shell-/.test(name)) expect([name, at < first]).toEqual([name, true]);
  });
});

describe("zones", () => {
  const zones = (run: ProgramRun) =>
    run.made
      .filter(({ type }) => type === "aws:ec2/subnet:Subnet")
      .map(({ inputs }) => inputs.availabilityZone);

  test("are those that offer the type", async () => {
    makeScarce(aws, { unoffered: { "t4g.small": ["eu-central-1a"] } });
    const run = await ProgramRun.up({}, { account: aws });
    expect(run.failures).toEqual([]);
    expect(zones(run).sort()).toEqual(["eu-central-1b", "eu-central-1c"]);
  });

  test("can be a single one, which has both subnets", async () => {
    makeScarce(aws, { unoffered: { "t4g.small": ["eu-central-1a", "eu-central-1c"] } });
    const run = await ProgramRun.up({}, { account: aws });
    expect(zones(run)).toEqual(["eu-central-1b", "eu-central-1b"]);
  });
});

test("a machine of a burstable type starts with a whole processor, not with the fifth that it has without credits", async () => {
  const run = await ProgramRun.up({}, { account: aws });
  const machine = run.made.find(({ name }) => name === "mcp-edge-prod-machine");
  expect(machine?.inputs.creditSpecification).toEqual({ cpuCredits: "unlimited" });
});

test("in a new stack, only the alarms that wait for the machine's first report are raised", async () => {
  const run = await ProgramRun.up({ alarms: "full" }, { account: aws });
  const raised = run.made
    .filter(({ type }) => type === "aws:cloudwatch/metricAlarm:MetricAlarm")
    .filter(({ type, id, name }) => {
      const stored = aws.store.get(type, id);
      if (!stored) throw new Error(name);
      return firstState(stored, aws).value === "ALARM";
    })
    .map(({ name }) => name);
  expect(raised.sort()).toEqual(["mcp-edge-prod-alarm-health", "mcp-edge-prod-alarm-memory"]);
});

/** `doctor --aws` over the endpoint, with the deployer's rights, as the workflow runs it right after `up`. */
describe("doctor", () => {
  const raw = {
    alarms: "full",
    zone: "example.com",
    hostedZone: "create",
    machines: "2",
    acme: "https://ca.example.com/dir",
    caaIssuer: "ca.example.com",
  };
  let server: Server;
  let run: ProgramRun;
  const before = { ...process.env };

  async function examine(settings = raw) {
    const all = { target: "aws", domain: "mcp.example.com", workspace: ".", ...settings };
    const report = await runAwsDoctor({
      settings: parseSettings(all, "prod") as AwsSettings,
      provider: { region: "eu-central-1" },
      limitMs: 60_000,
    });
    return report.checks.filter(({ ok }) => !ok).map(({ id, got }) => `${id}: ${got}`);
  }

  beforeEach(async () => {
    run = await ProgramRun.up(raw, { account: aws });
    server = apiServer(run.aws, () => {});
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
    const { accessKeyId, secretAccessKey } = roleCredentials(aws.store.home, "deployer");
    Object.assign(process.env, {
      AWS_ENDPOINT_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      AWS_ACCESS_KEY_ID: accessKeyId,
      AWS_SECRET_ACCESS_KEY: secretAccessKey,
    });
    // The machines report that they have applied desired.json.
    const bucket = aws.store.all("aws:s3/bucket:Bucket")[0]?.id ?? "";
    const wanted = getObject(aws.store.home, bucket, "desired.json")?.content.toString() ?? "";
    for (const { id } of run.made.filter(({ type }) => type === "aws:ec2/instance:Instance")) {
      const status = { instance: id, generation: JSON.parse(wanted).generation, phase: "done", ok: true };
      const content = Buffer.from(JSON.stringify(status));
      putObject(aws.store.home, bucket, `status/${id}.json`, content, { contentType: "application/json" });
    }
  });

  afterEach(() => {
    server.close();
    process.env = { ...before };
  });

  test("passes right after the first up of two machines", async () => {
    expect(await examine()).toEqual([]);
  });

  test("reports a type that only one zone offers", async () => {
    makeScarce(aws, { unoffered: { "t4g.small": ["eu-central-1a", "eu-central-1b"] } });
    expect(await examine()).toEqual([
      "instance-type: t4g.small is offered in eu-central-1c alone: all machines would be in one zone",
    ]);
  });
});
