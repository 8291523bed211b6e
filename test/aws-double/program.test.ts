import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import type { Account } from "./kind.ts";
import { ProgramRun } from "./run-program.ts";
import { firstState } from "./services/alarm-state.ts";
import { makeScarce } from "./services/offerings.ts";
import { Double } from "./support.ts";

/** The program against what the account may lack, or be slow at. */
let aws: Account;

beforeEach(async () => {
  aws = await ProgramRun.account();
});

afterEach(() => Double.over(aws).remove());

const GATEWAY = "aws:ec2/internetGateway:InternetGateway";
const RULES = ["Ingress", "Egress"].map((one) => `aws:vpc/securityGroup${one}Rule:SecurityGroup${one}Rule`);

describe("order", () => {
  test("an address waits for the gateway, and the machine for its way to the world", async () => {
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
    // The shell's own rule needs the endpoint's group, the machine does not need the rule.
    const rules = run.made.flatMap(({ type, name }, at) => (RULES.includes(type) ? [{ name, at }] : []));
    for (const { name, at } of rules)
      if (!/-shell-/.test(name)) expect([name, at < first]).toEqual([name, true]);
  }, 30_000);
});

describe("zones", () => {
  const zones = (run: ProgramRun) =>
    run.made
      .filter(({ type }) => type === "aws:ec2/subnet:Subnet")
      .map(({ inputs }) => inputs.availabilityZone);

  test("are those that offer the type, whatever their letters", async () => {
    makeScarce(aws, { unoffered: { "t4g.small": ["eu-central-1a"] } });
    const run = await ProgramRun.up({}, { account: aws });
    expect(run.failures).toEqual([]);
    expect(zones(run).sort()).toEqual(["eu-central-1b", "eu-central-1c"]);
  }, 30_000);

  test("may be one alone: both subnets lie there", async () => {
    makeScarce(aws, { unoffered: { "t4g.small": ["eu-central-1a", "eu-central-1c"] } });
    const run = await ProgramRun.up({}, { account: aws });
    expect(zones(run)).toEqual(["eu-central-1b", "eu-central-1b"]);
  }, 30_000);
});

test("a machine of a burstable type begins with a whole processor, not with the fifth that is left without credits", async () => {
  const run = await ProgramRun.up({}, { account: aws });
  const machine = run.made.find(({ name }) => name === "prod-machine");
  expect(machine?.inputs.creditSpecification).toEqual({ cpuCredits: "unlimited" });
}, 30_000);

test("of a fresh stack's alarms those alone are raised that wait for the machine to speak", async () => {
  const run = await ProgramRun.up({ alarms: "full" }, { account: aws });
  const states = run.made
    .filter(({ type }) => type === "aws:cloudwatch/metricAlarm:MetricAlarm")
    .map(({ type, id, name }) => {
      const stored = aws.store.get(type, id);
      if (!stored) throw new Error(name);
      return [name.replace("prod-alarm-", ""), firstState(stored, aws).value];
    });
  expect(Object.fromEntries(states)).toEqual({
    host: "OK",
    system: "OK",
    "cpu-credits": "OK",
    memory: "ALARM",
    health: "ALARM",
    "root-disk": "INSUFFICIENT_DATA",
    "data-disk": "INSUFFICIENT_DATA",
    certificate: "INSUFFICIENT_DATA",
  });
}, 30_000);
