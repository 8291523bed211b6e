import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { http3Fetch } from "../../cli/http3/http3-fetch.ts";
import { run } from "../../infra/exec.ts";
import { INTERNET } from "../aws-double/machine/firewall.ts";
import { AwsCheckout, DOMAIN, settings } from "./support.ts";

/**
 * A stack with `edge: passthrough`: both machines boot the program's own user-data, in the program's own subnets, routes and security
 * groups. The tests run in order.
 */
const stack = "dev";
let aws: AwsCheckout;
const ca = () => aws.cloud?.rootsFile ?? "";

interface Machine {
  instance: string;
  kind: "edge" | "origin";
}
const on = async (which: Machine["kind"], ...command: string[]) => {
  const { machines } = (await aws.outputs(stack)) as { machines?: Machine[] };
  const id = machines?.find(({ kind }) => kind === which)?.instance ?? "";
  return (await aws.inInstance(id, ...command)).stdout.trim();
};

beforeAll(async () => {
  aws = await AwsCheckout.create({ cloud: true });
  await aws.stack(stack, settings({ hostedZone: "create", edge: "passthrough" }));
}, 600_000);

afterAll(() => aws?.remove(), 600_000);

test("up brings up the edge, then the origin behind it, and ends when the origin serves", async () => {
  const { code, stdout, stderr } = await aws.cli("up", "--stack", stack, "--yes");
  if (code !== 0) throw new Error(stdout + stderr);
  const created = await on(
    "origin",
    ...["/usr/local/sbin/mcp-edge-server", "token", "create", "--name", "test", "--json"],
  );
  const { token } = JSON.parse(created);
  const report = await aws
    .as({ MCP_EDGE_TOKEN: token })
    .cli("doctor", "--stack", stack, "--ca", ca(), "--json");
  const { checks } = JSON.parse(report.stdout) as { checks: { id: string; ok: boolean; got: string }[] };
  expect(checks.filter(({ ok }) => !ok)).toEqual([]);
  for (const which of ["edge", "origin"] as const)
    expect(await on(which, "systemctl", "--failed", "--no-legend", "--plain")).toBe("");
  // By EC2 Instance Connect, as an operator.
  const shell = await aws.cli("shell", "--stack", stack, "--machine", "edge", "--", "conntrack", "-C");
  expect([shell.code, Number(shell.stdout) > 0, shell.stderr]).toEqual([0, true, ""]);
}, 600_000);

test("the origin sees the client's own address over HTTP/1.1, HTTP/2 and HTTP/3", async () => {
  const file = "/var/log/caddy/access.log";
  const lines = Number(await on("origin", "sh", "-c", `wc -l <${file}`));
  for (const version of ["--http1.1", "--http2"])
    await run("curl", ["-sS", version, "--cacert", ca(), `https://${DOMAIN}/readyz`]);
  const [address = ""] = (await readFile("/etc/hosts", "utf8"))
    .split("\n")
    .filter((line) => line.split(" ")[1] === DOMAIN)
    .map((line) => line.split(" ")[0] ?? "");
  const client = http3Fetch({ ca: await readFile(ca(), "utf8"), address, connectTimeoutMs: 60_000 });
  expect((await client.fetch(`https://${DOMAIN}/readyz`)).status).toBe(200);
  await client.close();
  // Caddy writes a line after the answer.
  const last = `for n in $(seq 300); do [ $(wc -l <${file}) -lt ${lines + 3} ] || break; sleep 0.2; done; tail -n 3 ${file}`;
  const log = await on("origin", "sh", "-c", last);
  const seen = log.split("\n").map((line) => JSON.parse(line).request);
  expect(seen.map(({ proto }) => proto)).toEqual(["HTTP/1.1", "HTTP/2.0", "HTTP/3.0"]);
  for (const { remote_ip } of seen) expect(Object.values(INTERNET)).toContain(remote_ip);
}, 600_000);

test("a new release reaches the origin, new files reach the edge, and nothing differs afterwards", async () => {
  await aws.must("config", "set", "--stack", stack, "mcp-edge:hstsSeconds", "7");
  const { code, all } = await aws.up(stack);
  if (code !== 0) throw new Error(all);
  expect((await aws.pulumi("preview", "--stack", stack, "--expect-no-changes")).code).toBe(0);
}, 600_000);

test("destroy leaves nothing in the account", async () => {
  const { code, all } = await aws.pulumi("destroy", "--stack", stack, "--yes", "--suppress-progress");
  if (code !== 0) throw new Error(all);
  expect(await readdir(join(aws.home, "resources"))).toEqual([]);
}, 600_000);
