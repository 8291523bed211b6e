import { utimesSync } from "node:fs";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import type { Wait } from "../../../infra/aws/publish.ts";
import { run } from "../../../infra/exec.ts";
import { projectRoot } from "../../../infra/paths.ts";
import { roleCredentials } from "../../aws-double/account.ts";
import { apiServer } from "../../aws-double/endpoint/api.ts";
import { listObjects, putObject, versionsOf } from "../../aws-double/objects.ts";
import { Double } from "../../aws-double/support.ts";

/** The script as the engine runs it, against the double's S3. */
const BUCKET = "mcp-edge-prod-artifacts-1a2b3c4";
let double: Double;
let server: Server;

beforeAll(async () => {
  double = await Double.create();
  await double.create("aws:s3/bucket:Bucket", { bucket: BUCKET });
  server = apiServer(double.aws, () => {});
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
});
afterAll(async () => {
  server.close();
  await double.remove();
});

const says = (status: object) =>
  putObject(double.aws.store.home, BUCKET, "status/i-1.json", Buffer.from(JSON.stringify(status)), {
    contentType: "application/json",
  });

const good = {
  ...{
    instance: "i-1",
    generation: "g",
    phase: "done",
    ok: true,
    release: "5".repeat(64),
    files: "f",
    cloudInit: "done",
  },
  ...{ certificate: "issued", certificateProblem: "", log: "" },
  steps: [{ at: "2026-11-21T10:00:00Z", text: "deploy: switch to green" }],
};

async function publish(role: "deployer" | "preview", records: "lookup" | "by hand" = "lookup") {
  const {
    accessKeyId: accessKey,
    secretAccessKey: secretKey,
    sessionToken,
  } = roleCredentials(double.aws.store.home, role);
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const provider = {
    region: "eu-central-1",
    accessKey,
    secretKey,
    ...(sessionToken ? { token: sessionToken } : {}),
  };
  const wait: Wait = {
    ...{ bucket: BUCKET, instances: ["i-1"], generation: "g", tags: { Project: "mcp-edge" }, addresses: [] },
    certificate: {
      ...{ stack: "prod", domain: "mcp.invalid", instances: ["i-1"], records },
      ...{ lines: ["mcp.invalid. 300 IN A 198.51.100.7"], nameServers: [], tlsServer: "nginx" },
    },
  };
  return run("node", ["infra/aws/publish.ts"], {
    cwd: projectRoot,
    env: {
      ...{ PATH: process.env.PATH, HOME: process.env.HOME, MCP_EDGE_WAIT: JSON.stringify(wait) },
      MCP_EDGE_AWS: JSON.stringify({ ...provider, endpoints: { s3: endpoint } }),
    },
    accept: [0, 1],
    timeout: 60_000,
  });
}

describe("the wait of an update", () => {
  test("prints the machine's steps and ends when it serves with its certificate", async () => {
    says(good);
    const { code, stdout, stderr } = await publish("deployer");
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toBe(
      "10:00:00 deploy: switch to green\nhttps://mcp.invalid is served with its issued certificate",
    );
  });

  test("succeeds with a warning when people must still create the records", async () => {
    says({ ...good, certificate: "self-signed", certificateProblem: "NXDOMAIN" });
    const { code, stdout } = await publish("deployer", "by hand");
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /^warning: mcp\.invalid is served with a self-signed certificate.*IN A 198\.51\.100\.7/ms,
    );
  });

  test("deletes old archives that are not in use, and keeps a noncurrent version of each", async () => {
    says(good);
    const { home } = double.aws.store;
    const put = (key: string, days: number) => {
      putObject(home, BUCKET, key, Buffer.from(key), { contentType: "application/zstd" });
      const at = new Date(Date.now() - days * 86_400_000);
      utimesSync(join(home, "objects", BUCKET, encodeURIComponent(key)), at, at);
    };
    for (const days of [1, 2, 3, 4, 5, 29, 31, 400]) put(`releases/${days}.tar.zst`, days);
    put("releases/wanted.tar.zst", 500);
    const desired = { release: "wanted", files: "f", workspace: "", generation: "g" };
    putObject(home, BUCKET, "desired.json", Buffer.from(JSON.stringify(desired)), {
      contentType: "application/json",
    });
    const { code, stdout } = await publish("deployer");
    expect(code).toBe(0);
    expect(stdout.match(/releases\/\d+\.tar\.zst: deleted/g)).toHaveLength(2);
    const left = listObjects(home, BUCKET).filter((key) => key.startsWith("releases/"));
    expect(left).toEqual(
      [1, 2, 29, 3, 4, 5].map((days) => `releases/${days}.tar.zst`).concat("releases/wanted.tar.zst"),
    );
    expect(versionsOf(home, BUCKET, "releases/400.tar.zst")).toHaveLength(1);
  });

  test("fails at once with the missing permission", async () => {
    says(good);
    const refused = await publish("preview");
    expect(refused.code).toBe(1);
    expect(refused.stderr).toMatch(/^s3:GetObject of status\/i-1\.json .*AccessDenied.*need s3:GetObject/);
  });
});
