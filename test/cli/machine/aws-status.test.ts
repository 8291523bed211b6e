import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { awsStatus, statusText } from "../../../cli/machine/aws-status.ts";
import {
  forwarding,
  instance,
  MACHINE,
  NO_INSTANCES,
  type StandIn,
  standIn,
} from "../doctor/aws/stand-in.ts";

describe("status of a stack in AWS", () => {
  let aws: StandIn;
  beforeEach(async () => {
    aws = await standIn();
    aws.answers["s3 desired.json"] = JSON.stringify({
      release: "5".repeat(64),
      files: "f".repeat(64),
      generation: "g2",
    });
  });
  afterEach(() => aws.close());

  const services = ["ec2", "sts", "s3"];
  const readStatus = () =>
    awsStatus({
      stack: "prod",
      provider: {
        ...{ region: "eu-central-1", accessKey: "AKID", secretKey: "secret" },
        endpoints: Object.fromEntries(services.map((service) => [service, aws.endpoint])),
      },
    });
  const says = (status: object) => {
    const good = {
      generation: "g2",
      phase: "done",
      ok: true,
      release: "5".repeat(64),
      certificate: "issued",
      steps: [],
    };
    aws.answers[`s3 status/${MACHINE}.json`] = JSON.stringify({ ...good, certificateProblem: "", ...status });
  };

  test("is ok for a machine that runs desired.json", async () => {
    says({});
    const status = await readStatus();
    expect(status.ok).toBe(true);
    expect(statusText(status)).toBe(
      `prod: release 555555555555, files ffffffffffff, generation g2\n${MACHINE} (running): done, release 555555555555, certificate issued`,
    );
  });

  test.each([
    [
      { phase: "failed", ok: false, steps: [{ at: "2026-11-21T10:00:00Z", text: "deploy: not ready" }] },
      /failed, release .*\n {2}last: 2026-11-21T10:00:00Z deploy: not ready/,
    ],
    [
      { phase: "failed", ok: false, steps: [{ at: "10:00", text: "\u001b]0;x\u0007 \u001b[2J" }] },
      /\n {2}last: 10:00 \?\]0;x\? \?\[2J$/,
    ],
    [{ generation: "g1" }, /done, at generation g1/],
    [
      { ok: false, certificate: "self-signed", certificateProblem: "Detail\nNXDOMAIN for A\n" },
      /certificate self-signed\n {2}no certificate: NXDOMAIN for A/,
    ],
  ])("has the problem of a machine with %j", async (change, words) => {
    says(change);
    const status = await readStatus();
    expect(status.ok).toBe(false);
    expect(statusText(status)).toMatch(words);
  });

  test("names an edge that forwards packets and its origin, and of the edge tells its files alone", async () => {
    says({ files: "e".repeat(64), release: "", certificate: "none", certificateProblem: "" });
    aws.answers["s3 status/i-origin.json"] = JSON.stringify({
      ...{ generation: "g2", phase: "done", ok: true, release: "5".repeat(64) },
      ...{ certificate: "issued", certificateProblem: "", steps: [] },
    });
    aws.answers["ec2 DescribeInstances"] = forwarding();
    expect(
      statusText(await readStatus())
        .split("\n")
        .slice(1),
    ).toEqual([
      `${MACHINE} (edge, running): done, files eeeeeeeeeeee`,
      "i-origin (origin, running): done, release 555555555555, certificate issued",
    ]);
  });

  test("covers a missing machine, a stopped one and one whose status cannot be read", async () => {
    says({});
    aws.answers["ec2 DescribeInstances"] = NO_INSTANCES;
    expect(statusText(await readStatus())).toContain("Make it: pulumi up --stack prod");
    aws.answers["ec2 DescribeInstances"] = instance("required", "stopped");
    expect(await readStatus()).toMatchObject({ ok: false, machines: [{ state: "stopped" }] });
    delete aws.answers[`s3 status/${MACHINE}.json`];
    await expect(readStatus()).rejects.toThrow(/s3:GetObject of status.*AccessDenied/);
  });
});
