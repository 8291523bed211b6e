import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { runAwsDoctor } from "../../../../cli/doctor/aws/run.ts";
import { renderReport } from "../../../../cli/doctor/render.ts";
import { type AwsSettings, parseSettings } from "../../../../infra/settings.ts";
import { ANSWER_MS } from "../fixture.ts";
import {
  alarm,
  forwarding,
  image,
  instance,
  MACHINE,
  NO_INSTANCES,
  records,
  routes,
  rules,
  type StandIn,
  standIn,
} from "./stand-in.ts";

const settings = parseSettings(
  { target: "aws", domain: "mcp.example.com", workspace: ".", zone: "example.com" },
  "prod",
) as AwsSettings;

const SERVICES = ["ec2", "sts", "cloudwatch", "ssm", "route53", "s3"];

const providerAt = (endpoint: string) => ({
  region: "eu-central-1",
  endpoints: Object.fromEntries(SERVICES.map((service) => [service, endpoint])),
});

describe("doctor --aws", () => {
  let aws: StandIn;
  const before = { ...process.env };

  beforeEach(async () => {
    Object.assign(process.env, { AWS_ACCESS_KEY_ID: "AKID", AWS_SECRET_ACCESS_KEY: "secret" });
    delete process.env.AWS_SESSION_TOKEN;
    aws = await standIn();
  });
  afterEach(async () => {
    await aws.close();
    process.env = { ...before };
  });

  const examine = () => runAwsDoctor({ settings, provider: providerAt(aws.endpoint), limitMs: ANSWER_MS });
  const failed = async () =>
    (await examine()).checks.filter(({ ok }) => !ok).map(({ id, got }) => `${id}: ${got}`);

  test("passes for a valid stack, and reports what it found", async () => {
    const report = await examine();
    expect(report.checks.filter(({ ok }) => !ok)).toEqual([]);
    expect(report.ok).toBe(true);
    const text = renderReport(report, { colour: false });
    expect(text).toContain("account 123456789012 as assumed-role/reader/ada");
    expect(text).toContain("t4g.small in eu-central-1a, eu-central-1b");
    expect(text).toContain("mcp.example.com has A, AAAA, CAA, HTTPS");
    expect(text).toContain("every machine is at aaaabbbbcccc");
    expect(text).toContain("All 12 checks passed");
  });

  test("makes only read requests", async () => {
    await examine();
    const actions = aws.requests.filter((one) => !/^(s3|route53) /.test(one));
    expect(actions.length).toBeGreaterThan(6);
    for (const action of actions) expect(action).toMatch(/^\w+ (Describe|Get|List)/);
  });

  test("checks only the account before the first up", async () => {
    aws.answers["ec2 DescribeInstances"] = NO_INSTANCES;
    const { ok, checks } = await examine();
    expect(ok).toBe(true);
    expect(checks.map(({ id }) => id)).toEqual([
      "identity",
      "image-parameter",
      "image",
      "instance-type",
      "zone",
      "machines",
    ]);
    expect(checks.at(-1)?.got).toBe("none yet: pulumi up makes them");
  });

  test("stops at credentials that AWS refuses", async () => {
    delete aws.answers["sts GetCallerIdentity"];
    const { ok, checks } = await examine();
    expect(ok).toBe(false);
    expect(checks[0]?.got).toBe("AWS answered 403: AccessDenied, said by the stand-in");
    expect(checks.slice(1).every(({ blockedBy }) => blockedBy?.[0] === "Credentials")).toBe(true);
    expect(aws.requests).toEqual(["sts GetCallerIdentity"]);
  });

  test("fails if no server answers", async () => {
    const report = await runAwsDoctor({ settings, provider: providerAt("http://127.0.0.1:1") });
    expect(report.checks[0]?.ok).toBe(false);
  });

  const two = (one: string, other: string) =>
    JSON.stringify({ MetricAlarms: [one, other].flatMap((text) => JSON.parse(text).MetricAlarms) });

  test.each([
    ["HealthCheckStatus", 5, true],
    ["HealthCheckStatus", 25, false],
    ["memory", 5, false],
  ])(
    "an old alarm of %s that is raised %i minutes after a machine was created passes: %s",
    async (metric, minutes, passes) => {
      aws.answers["ec2 DescribeInstances"] = instance("required", "running", agoOf(minutes));
      aws.answers["monitoring DescribeAlarms"] = two(alarm("OK"), alarm("ALARM", metric));
      const found = (await examine()).checks.find(({ id }) => id === "alarms");
      expect(found).toMatchObject({ ok: passes });
    },
  );

  test("ignores the alarms of a stack whose name has the same beginning", async () => {
    const other = alarm("ALARM", "MemoryUsedPercent")
      .replaceAll(MACHINE, "i-of-another-stack")
      .replace("mcp-edge-prod-host", "mcp-edge-prod-2-memory");
    aws.answers["monitoring DescribeAlarms"] = two(alarm("OK"), other);
    const check = (await examine()).checks.find(({ id }) => id === "alarms");
    expect(check).toMatchObject({ ok: true, got: expect.stringMatching(/^1, none of them raised/) });
  });

  const agoOf = (minutes: number) => new Date(Date.now() - minutes * 60_000).toISOString();

  test.each([
    ["memory", 1, true],
    ["memory", 19, true],
    ["memory", 21, false],
    ["HealthCheckStatus", 5, true],
    ["StatusCheckFailed_Instance", 1, false],
  ])(
    "an alarm of %s that was created %i minutes ago and is raised passes: %s",
    async (metric, minutes, passes) => {
      aws.answers["monitoring DescribeAlarms"] = two(alarm("OK"), alarm("ALARM", metric, agoOf(minutes)));
      const found = (await examine()).checks.find(({ id }) => id === "alarms");
      expect(found).toMatchObject({ ok: passes });
      if (passes) expect(found?.got).toBe("2, none of them raised; too new to count: mcp-edge-prod-host");
    },
  );

  describe("of an edge that forwards packets", () => {
    const both: [string, string][] = [
      ["0.0.0.0/0", "eni-edge"],
      ["::/0", "eni-edge"],
    ];
    const check = async (id = "forwarding") => (await examine()).checks.find((one) => one.id === id);
    beforeEach(() => {
      aws.answers["ec2 DescribeInstances"] = forwarding();
      aws.answers["ec2 DescribeRouteTables"] = routes(...both);
    });

    test("passes when both default routes of the origin lead to it, and expects one data volume", async () => {
      expect(await check()).toMatchObject({
        ok: true,
        got: `i-origin has both default routes through ${MACHINE}, and no public address`,
      });
      expect(await check("volumes")).toMatchObject({ ok: true });
    });

    test.each<[string, string, string]>([
      [forwarding({ edgeChecked: true }), routes(...both), `EC2 drops what ${MACHINE} forwards`],
      [
        forwarding({ originChecked: false }),
        routes(...both),
        "i-origin may send packets with addresses of others",
      ],
      [
        forwarding({ originAddress: "198.51.100.8" }),
        routes(...both),
        "i-origin has the address 198.51.100.8",
      ],
      [forwarding(), routes(["0.0.0.0/0", "eni-edge"]), "the route of i-origin for ::/0 does not lead to"],
      [forwarding(), routes(["0.0.0.0/0", "eni-x"], ["::/0", "eni-edge"]), "for 0.0.0.0/0 does not lead to"],
      [
        forwarding(),
        routes(["0.0.0.0/0", "eni-edge", "blackhole"], ["::/0", "eni-edge"]),
        "0.0.0.0/0 leads nowhere",
      ],
    ])("finds what is wrong (%#)", async (machines, table, problem) => {
      aws.answers["ec2 DescribeInstances"] = machines;
      aws.answers["ec2 DescribeRouteTables"] = table;
      expect(await check()).toMatchObject({ ok: false, got: expect.stringContaining(problem) });
    });
  });

  const broken: [string, (answers: Record<string, string>) => void, string][] = [
    [
      "no parameter",
      (a) => delete a["ssm GetParameter"],
      "image-parameter: AWS answered 403: AccessDenied, said by the stand-in",
    ],
    [
      "an image for another processor",
      (a) => Object.assign(a, { "ec2 DescribeImages": image("x86_64") }),
      "image: architecture is x86_64, not arm64",
    ],
    [
      "a type that the region does not offer",
      (a) => Object.assign(a, { "ec2 DescribeInstanceTypeOfferings": "<R><instanceTypeOfferingSet/></R>" }),
      "instance-type: eu-central-1 has no t4g.small",
    ],
    [
      "a type in one zone, and in a local one",
      (a) =>
        Object.assign(a, {
          "ec2 DescribeInstanceTypeOfferings":
            "<R><instanceTypeOfferingSet><item><location>eu-central-1b</location></item><item><location>eu-central-1-ham-1a</location></item></instanceTypeOfferingSet></R>",
        }),
      "instance-type: t4g.small is offered in eu-central-1b alone: all machines would be in one zone",
    ],
    [
      "a zone of another account",
      (a) => Object.assign(a, { "route53 hostedzonesbyname": "<R><HostedZones/></R>" }),
      "zone: the account has no zone example.com",
    ],
    [
      "a CAA record that allows another challenge alone",
      (a) =>
        Object.assign(a, {
          "route53 hostedzone/Z1/rrset": records("letsencrypt.org; validationmethods=dns-01,tls-alpn-01"),
        }),
      'zone: the CAA record of mcp.example.com forbids letsencrypt.org to issue by http-01: 0 issue "letsencrypt.org; validationmethods=dns-01,tls-alpn-01"',
    ],
    [
      "a CAA record of another authority",
      (a) => Object.assign(a, { "route53 hostedzone/Z1/rrset": records("pki.goog") }),
      'zone: the CAA record of mcp.example.com forbids letsencrypt.org to issue by http-01: 0 issue "pki.goog"',
    ],
    [
      "IMDSv1",
      (a) => Object.assign(a, { "ec2 DescribeInstances": instance("optional") }),
      `machines: ${MACHINE} answers IMDSv1 (httpTokens optional)`,
    ],
    [
      "a stopped machine",
      (a) => Object.assign(a, { "ec2 DescribeInstances": instance("required", "stopped") }),
      `machines: ${MACHINE} is stopped`,
    ],
    [
      "an unencrypted volume",
      (a) =>
        Object.assign(a, {
          "ec2 DescribeVolumes": (a["ec2 DescribeVolumes"] ?? "").replace("true", "false"),
        }),
      "volumes: vol-1 is not encrypted",
    ],
    [
      "a lost data volume",
      (a) =>
        Object.assign(a, {
          "ec2 DescribeVolumes": (a["ec2 DescribeVolumes"] ?? "").replace("/dev/sdf", "/dev/sdg"),
        }),
      "volumes: 0 data volumes are attached, not 1",
    ],
    [
      "no UDP",
      (a) => Object.assign(a, { "ec2 DescribeSecurityGroupRules": rules(["tcp", 443, "0.0.0.0/0"]) }),
      "firewall: 0.0.0.0/0 reaches TCP 443 and not UDP 443",
    ],
    [
      "a port opened by hand",
      (a) =>
        Object.assign(a, {
          "ec2 DescribeSecurityGroupRules": rules(
            ["tcp", 443, "::/0"],
            ["udp", 443, "::/0"],
            ["tcp", 22, "0.0.0.0/0"],
          ),
        }),
      "firewall: 0.0.0.0/0 may reach tcp port 22; for a shell, use `mcp-edge shell`",
    ],
    [
      "an alarm",
      (a) => Object.assign(a, { "monitoring DescribeAlarms": alarm("ALARM") }),
      "alarms: mcp-edge-prod-host: 2 datapoints > 0",
    ],
    [
      "no alarm",
      (a) => Object.assign(a, { "monitoring DescribeAlarms": alarm("OK", "CPUUtilization") }),
      `alarms: ${MACHINE} has no alarm on its status checks`,
    ],
    [
      "an open bucket",
      (a) => Object.assign(a, { "s3 ?publicAccessBlock": "<R><BlockPublicAcls>true</BlockPublicAcls></R>" }),
      "bucket: mcp-edge-prod-123456789012 lacks IgnorePublicAcls, BlockPublicPolicy, RestrictPublicBuckets",
    ],
    [
      "no versions",
      (a) => Object.assign(a, { "s3 ?versioning": "<VersioningConfiguration/>" }),
      "bucket: mcp-edge-prod-123456789012 keeps no versions (never enabled)",
    ],
    [
      "a machine that went back",
      (a) =>
        Object.assign(a, {
          [`s3 status/${MACHINE}.json`]: JSON.stringify({
            generation: "aaaabbbbccccdddd",
            phase: "failed",
            ok: false,
          }),
        }),
      `converged: aaaabbbbccccdddd is wanted; ${MACHINE} ended failed without success`,
    ],
    [
      "a machine that is behind",
      (a) =>
        Object.assign(a, { [`s3 status/${MACHINE}.json`]: JSON.stringify({ generation: "0000", ok: true }) }),
      `converged: aaaabbbbccccdddd is wanted; ${MACHINE} is at 0000`,
    ],
  ];
  test.each(broken)("finds %s", async (_what, breakIt, text) => {
    breakIt(aws.answers);
    const found = await failed();
    expect(found).toContain(text);
  });
});
