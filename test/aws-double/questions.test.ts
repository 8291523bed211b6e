import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { runAwsDoctor } from "../../cli/doctor/aws/run.ts";
import { type AwsSettings, parseSettings } from "../../infra/settings.ts";
import { roleCredentials } from "./account.ts";
import { apiServer } from "./endpoint/api.ts";
import type { Role } from "./iam/principal.ts";
import { ProgramRun } from "./run-program.ts";

const SERVICES = ["s3", "ec2", "sts", "ssm", "route53", "cloudwatch"];

/** `mcp-edge doctor --aws` over HTTP against what the program has made in the double. */
describe("doctor's requests", () => {
  let run: ProgramRun;
  const before = { ...process.env };
  const raw = { zone: "example.com", hostedZone: "create", alarms: "full" };

  beforeEach(async () => {
    run = await ProgramRun.up(raw);
    expect(run.failures).toEqual([]);
  });
  afterEach(async () => {
    process.env = { ...before };
    await run.remove();
  });

  async function examine(role: Role) {
    const { accessKeyId, secretAccessKey } = roleCredentials(run.aws.store.home, role);
    Object.assign(process.env, { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey });
    delete process.env.AWS_SESSION_TOKEN;
    const server = apiServer(run.aws, () => undefined);
    await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
    const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const all = {
      target: "aws",
      domain: "mcp.example.com",
      workspace: "https://git.example.com/a/b.git",
      ...raw,
    };
    const settings = parseSettings(all, "prod") as AwsSettings;
    try {
      const endpoints = Object.fromEntries(SERVICES.map((service) => [service, endpoint]));
      const { checks } = await runAwsDoctor({
        ...{ settings, provider: { region: run.aws.region, endpoints } },
        limitMs: 60_000,
      });
      return Object.fromEntries(checks.map(({ id, ok, got }) => [id, { ok, got }]));
    } finally {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    }
  }

  test("are allowed for the deployer, right after the first up", async () => {
    const { converged, ...rest } = await examine("deployer");
    expect(Object.entries(rest).filter(([, { ok }]) => !ok)).toEqual([]);
    expect(rest).toMatchObject({
      identity: { got: "account 111122223333 as assumed-role/deployer/double" },
      zone: { got: "mcp.example.com has A, AAAA, CAA, HTTPS" },
      volumes: { got: "1, encrypted, 1 of them attached for data" },
      firewall: { got: expect.stringContaining("TCP and UDP 443 from ") },
      // Nothing has been measured yet. Alarms that treat missing data as breaching are raised at once.
      alarms: { got: expect.stringMatching(/none of them raised; too new to count: .*memory/) },
      bucket: { got: expect.stringContaining("private, versioned") },
    });
    // No machine has booted.
    expect(converged?.ok).toBe(false);
  });

  test("are refused for a role without the permissions", async () => {
    const { identity, machines } = await examine("preview");
    expect(identity?.ok).toBe(true);
    expect(machines?.got).toMatch(/AccessDenied.*ec2:DescribeInstances/);
  });
});
