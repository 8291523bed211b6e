import { readFileSync } from "node:fs";
import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { alarmsOf } from "../../../infra/aws/alarm-table.ts";
import { monthlyCost, PRICES } from "../../../infra/aws/cost.ts";
import { desired, desiredText } from "../../../infra/aws/desired.ts";
import { ingressRules } from "../../../infra/aws/firewall-rules.ts";
import { machineLabel, machineName } from "../../../infra/aws/machine-names.ts";
import { subnetRange6 } from "../../../infra/aws/network.ts";
import { dnsRecords } from "../../../infra/aws/records.ts";
import { regionProblem } from "../../../infra/aws/region.ts";
import { architectureOf, isBurstable } from "../../../infra/instance-types.ts";
import { cidr as cidrFormat } from "../../../infra/settings/formats.ts";
import { type AwsSettings, parseSettings } from "../../../infra/settings.ts";

const settings = (raw: Record<string, string> = {}, stack = "prod") =>
  parseSettings({ target: "aws", domain: "mcp.example.com", workspace: ".", ...raw }, stack) as AwsSettings;

test("IPv6 subnets are the first /64s of the VPC's /56, also when it ends in zeros", () => {
  expect(subnetRange6("2600:1f18:1234:5600::/56", 1)).toBe("2600:1f18:1234:5601::/64");
  expect(subnetRange6("2600:1f18:1234::/56", 1)).toBe("2600:1f18:1234:1::/64");
  expect(() => subnetRange6("2600:1f18::/32", 0)).toThrow("2600:1f18::/32 is not");
});

describe("monthlyCost", () => {
  test("is the sum of its lines, and has the date of the prices", () => {
    const { lines, total, prices } = monthlyCost(settings({ zone: "example.com", hostedZone: "create" }));
    expect(total).toBeCloseTo(lines.reduce((sum, { usd }) => sum + (usd ?? 0), 0));
    expect(prices).toContain(PRICES.date);
    expect(lines.map(({ item }) => item)).toEqual([
      "machine t4g.small",
      "public IPv4 address",
      "root volume",
      "data volume",
      "snapshots",
      "bucket",
      "alarms",
      "metrics",
      "health check",
      "hosted zone",
    ]);
    expect(lines[0]).toEqual({ item: "machine t4g.small", usd: 12.26, how: "730 h x 0.0168" });
  });

  test("is ten times as much for ten machines, and says that it does not know a type", () => {
    const one = monthlyCost(settings({}, "dev"));
    const ten = monthlyCost(
      settings({ machines: "10", elasticIpQuota: "10", acme: "https://acme.example.com/dir" }, "dev"),
    );
    expect(ten.lines[0]?.usd).toBeCloseTo(122.64, 1);
    expect(ten.total).toBeGreaterThan(9 * one.total);
    const [machine] = monthlyCost(settings({ instanceType: "x8g.metal-48xl" })).lines;
    expect(machine).toMatchObject({ usd: undefined, how: expect.stringContaining("price not known") });
  });

  test("of an edge with an origin has two machines, and one address, data volume and set of the server's metrics", () => {
    const [one, two] = [{}, { edge: "passthrough" }].map((raw) => monthlyCost(settings(raw)).lines);
    const hows = (lines = one) => Object.fromEntries((lines ?? []).map(({ item, how }) => [item, how]));
    expect(hows(two)).toMatchObject({
      "machine t4g.small": "2 x 730 h x 0.0168",
      "public IPv4 address": hows(one)["public IPv4 address"],
      "root volume": "2 x 10 GiB x 0.08",
      "data volume": hows(one)["data volume"],
      alarms: "20 x 0.1",
      metrics: "12 x 0.3",
    });
  });

  test("has no health check if the settings have none", () => {
    const items = monthlyCost(settings({ allowedCidrs: '["203.0.113.0/24"]' })).lines.map(({ item }) => item);
    expect(items).not.toContain("health check");
  });
});

test("TCP 443 and UDP 443 have the same ranges and the rules have unique names, for any allowed ranges", () => {
  const byte = fc.integer({ min: 0, max: 255 });
  const v4 = fc.tuple(byte, byte, byte).map((bytes) => `${bytes.join(".")}.0/24`);
  const v6 = fc.integer({ min: 1, max: 0xffff }).map((group) => `2001:db8:${group.toString(16)}::/48`);
  fc.assert(
    fc.property(fc.uniqueArray(fc.oneof(v4, v6), { minLength: 1 }), fc.boolean(), (cidrs, open) => {
      const rules = ingressRules(cidrs, open);
      const on = (protocol: string) =>
        rules.filter((rule) => rule.protocol === protocol && rule.from === 443).map(({ cidr }) => cidr);
      expect(on("tcp")).toEqual(on("udp"));
      expect(new Set(rules.map(({ name }) => name)).size).toBe(rules.length);
      expect(rules.every(({ name }) => /^[a-z0-9-]+$/i.test(name))).toBe(true);
    }),
  );
});

test.each([
  ["0.0.0.0/0", true],
  ["::/0", true],
  ["203.0.113.0/24", true],
  ["2001:db8::/32", true],
  ["203.0.113.1/24", false],
  ["2001:db8::1/32", false],
  ["203.0.113.0", false],
  ["203.0.113.0/33", false],
  ["256.0.0.0/8", false],
  ["2001:db8::/129", false],
  ["1:2:3:4:5:6:7:8:9/64", false],
  ["x/8", false],
  ["10.1/8", false],
  ["0x0a.0.0.0/8", false],
  ["::ffff:10.0.0.0/104", false],
  ["fe80::%eth0/64", false],
  ["2001:db8::/", false],
  ["/8", false],
  ["", false],
])("the range %s is %s", (cidr, good) => {
  expect(cidrFormat.safeParse(cidr).success).toBe(good);
});

test.each([
  ["t4g.small", "arm64", true],
  ["t3.small", "amd64", true],
  ["m7gd.large", "arm64", false],
  ["c7gn.xlarge", "arm64", false],
  ["g4dn.xlarge", "amd64", false],
  ["g5g.xlarge", "arm64", false],
  ["m7i-flex.large", "amd64", false],
  ["a1.medium", "arm64", false],
])("%s is %s", (type, architecture, burstable) => {
  expect([architectureOf(type), isBurstable(type)]).toEqual([architecture, burstable]);
});

describe("CAA", () => {
  const caa = (caaIssuer: string, acmeChallenge = "http-01") =>
    dnsRecords({
      ...{ names: ["mcp.example.com"], email: "a@b.c", caaIssuer, acmeChallenge, ipv4: [], ipv6: [] },
    }).find(({ type }) => type === "CAA")?.values[0];

  test("names the configured authority, and is absent for an unknown one", () => {
    expect(caa("letsencrypt.org")).toBe('0 issue "letsencrypt.org; validationmethods=http-01"');
    expect(caa("letsencrypt.org", "dns-01")).toBe('0 issue "letsencrypt.org; validationmethods=dns-01"');
    expect(caa("sectigo.com")).toBe('0 issue "sectigo.com"');
    expect(caa("")).toBeUndefined();
  });
});

test("no two stacks or machines have an alarm, a machine or a volume of the same name", () => {
  const parts = ["prod", "2", "host", "root", "disk", "health", "cpu", "data"];
  const stackName = fc
    .array(fc.constantFrom(...parts), { minLength: 1, maxLength: 3 })
    .map((all) => all.join("-"));
  const stacks = fc.uniqueArray(fc.tuple(stackName, fc.integer({ min: 1, max: 3 })), {
    minLength: 2,
    selector: ([name]) => name,
  });
  const alarms = [
    ...alarmsOf("full", "t4g.small", "server").map(({ name }) => name),
    "health",
    "data",
    "root",
  ];
  fc.assert(
    fc.property(stacks, (all) => {
      const labels = all.flatMap(([stack, count]) =>
        Array.from({ length: count }, (_, index) => machineLabel(stack, index)),
      );
      expect(new Set(labels).size).toBe(labels.length);
      const names = labels.flatMap((label) => alarms.map((alarm) => `mcp-edge-${label}-${alarm}`));
      expect(new Set(names).size).toBe(names.length);
    }),
  );
  expect([machineName("prod", 0), machineName("prod", 1)]).toEqual(["prod", "prod-2"]);
});

test.each([
  ["eu-central-1", undefined],
  ["us-east-1", undefined],
  ["ap-southeast-7", undefined],
  ["il-central-1", undefined],
  ["mx-central-1", undefined],
  ["cn-north-1", "another partition"],
  ["us-gov-west-1", "another partition"],
  ["us-isob-east-1", "another partition"],
  ["eusc-de-east-1", "another partition"],
  ["Frankfurt", "no region such as"],
  ["eu-central-1a", "no region such as"],
])("the region %s: %s", (region, problem) => {
  expect(regionProblem(region)).toEqual(problem && expect.stringContaining(problem));
});

test("desired.json is one line that the shell scripts can parse", () => {
  const content = { release: "a", files: "b", workspace: "" };
  expect(desiredText(desired(content, ""))).toMatch(
    /^\{"release":"a","files":"b",.*"generation":"[0-9a-f]{16}"\}\n$/,
  );
  expect(desired({ ...content, edgeFiles: "c" }, "").generation).not.toBe(desired(content, "").generation);
});

test("the runbook has a row for every alarm", () => {
  const runbook = readFileSync("RUNBOOK.md", "utf8");
  const alarms = (["server", "forwarder"] as const).flatMap((duty) => alarmsOf("full", "t4g.small", duty));
  const names = alarms.map(({ name }) => name);
  for (const name of [...names, "health"]) expect(runbook).toMatch(new RegExp(`^\\| \`${name}\` \\|`, "m"));
});
