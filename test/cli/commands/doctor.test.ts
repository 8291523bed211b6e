import { execFile } from "node:child_process";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { CHECKS } from "../../../cli/doctor/checks/index.ts";
import { type DoctorProgress, type DoctorReport, runDoctor } from "../../../cli/doctor/run.ts";
import { freePort } from "../../support/free-port.ts";
import { ANSWER_MS } from "../doctor/fixture.ts";
import { type Backend, startBackend, TOKEN } from "../http3/servers/backend.ts";
import { type Authority, createAuthority } from "../http3/servers/certificates.ts";
import { type Nginx, startNginx } from "../http3/servers/nginx.ts";

let authority: Authority;
let backend: Backend;
let nginx: Nginx;
let url: string;
let httpPort: number;
let backendOpen = true;

beforeAll(async () => {
  authority = createAuthority();
  backend = await startBackend();
  const port = await freePort();
  httpPort = await freePort();
  url = `https://edge.test:${port}`;
  const certificate = authority.issue("edge.test");
  nginx = await startNginx({ folder: authority.folder, certificate, port, httpPort, backend: backend.port });
}, 300_000);

afterAll(async () => {
  await nginx?.stop();
  if (backendOpen) await backend?.close();
  authority?.remove();
});

const options = () => ({
  ...{ url, ca: authority.caFile, connect: "127.0.0.1", httpPort, token: TOKEN },
  timeoutMs: ANSWER_MS,
});

interface Ended {
  code: number;
  stdout: string;
  stderr: string;
}

/** Runs the command as a program of its own. `before` is code that makes `options` for doctorCommand. */
function command(
  args: string[],
  env: Record<string, string> = {},
  before = "const options = {};",
): Promise<Ended> {
  const module = join(import.meta.dirname, "../../../cli/commands/doctor.ts");
  const code = `${before} const { doctorCommand } = await import(${JSON.stringify(module)});
    await doctorCommand(options).parseAsync(["node", "doctor", ...${JSON.stringify(args)}]);`;
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      ["--input-type=module", "-e", code],
      { env: { PATH: process.env.PATH ?? "", ...env } },
      (_error, stdout, stderr) => resolve({ code: child.exitCode ?? -1, stdout, stderr }),
    );
  });
}

describe("all checks of doctor", () => {
  test("pass for a healthy edge behind NGINX", async () => {
    const events: DoctorProgress[] = [];
    const report = await runDoctor({ ...options(), onProgress: (event) => void events.push(event) });
    expect(report.checks.filter(({ ok }) => !ok)).toEqual([]);
    expect(report.ok).toBe(true);
    expect(report.url).toBe(url);
    expect(report.checks.map(({ id }) => id)).toEqual(CHECKS.map(({ id }) => id));
    const got = Object.fromEntries(report.checks.map((check) => [check.id, check.got]));
    expect(got).toMatchObject({
      http3: expect.stringContaining("h3, status 200, 6 of 6 connections"),
      http2: "h2, status 200",
      http1: "http/1.1, status 200",
      "unknown-host": "refused in the handshake (unrecognized name)",
      "foreign-host": "HTTP/3 421, HTTP/2 421, HTTP/1.1 421",
      acme: expect.stringMatching(/^127\.0\.0\.1: 404 from nginx\/1\./),
      readyz: "ready, release 0123456789ab (blue)",
      "mcp-2025": "2025-11-25, stand-in 1.2.3, 2 tools, list_files: 3 files",
      "mcp-2026": "2026-07-28, stand-in 1.2.3, 2 tools, list_files: 3 files",
      "mcp-http3": "2026-07-28, stand-in 1.2.3, 2 tools, search_text: found README.md:7",
    });
    expect(events.filter(({ kind }) => kind === "started")).toHaveLength(CHECKS.length);
    expect(events.filter(({ kind }) => kind === "done")).toHaveLength(CHECKS.length);
    expect(JSON.stringify(report)).not.toContain(TOKEN);
  });

  test("pass without a token, as before a first deployment, if all others do", async () => {
    const checks = CHECKS.filter(({ id }) =>
      ["dns", "tcp", "udp", "http2", "http3", "token", "mcp-2026"].includes(id),
    );
    const { token: _, ...without } = options();
    const report = await runDoctor({ ...without, checks, noToken: true });
    expect(report).toMatchObject({ ok: true, leftOut: ["Token accepted", "MCP, 2026 client"] });
    expect(report.checks.map(({ id }) => id)).toEqual(["dns", "tcp", "udp", "http3", "http2"]);
    expect(await runDoctor({ ...without, checks })).toMatchObject({ ok: false });
  });

  test("fail only where they depend on the stopped server behind the edge", async () => {
    await backend.close();
    backendOpen = false;
    const report = await runDoctor(options());
    expect(report.ok).toBe(false);
    const passed = report.checks.filter(({ ok }) => ok).map(({ id }) => id);
    expect(passed).toEqual([
      "dns",
      "tcp",
      "udp",
      "alt-svc",
      "clock",
      "certificate",
      "unknown-host",
      "redirect",
      "acme",
    ]);
    const mcp = report.checks.find(({ id }) => id === "mcp-http3");
    expect(mcp).toMatchObject({ ms: 0, got: "not tried: HTTP/3 and Token accepted failed" });
    for (const check of report.checks) expect(check.ok).toBe(check.fix === undefined);
  });
});

describe("the command", () => {
  /** In seconds. */
  const PATIENTLY = ["--timeout", String(ANSWER_MS / 1_000)];

  test("prints an aligned report with advice for people, and exits with 1", async () => {
    const { code, stdout, stderr } = await command(["https://nobody.invalid", ...PATIENTLY]);
    expect(code).toBe(1);
    expect(stderr).toBe("");
    const lines = stdout.split("\n");
    expect(lines[0]).toBe("https://nobody.invalid");
    expect(lines[2]).toMatch(
      /^✗ DNS {19,}[\d.]+ m?s {2}the name has no address \(ENOTFOUND\)$|^✗ DNS .*name server/,
    );
    expect(lines[3]).toMatch(/^ {4}tried {2}A and AAAA of nobody\.invalid/);
    expect(lines[4]).toMatch(/^ {4}fix {4}Add A and AAAA records/);
    expect(lines[5]).toMatch(/^✗ TCP {19,}0 ms {2}not tried: DNS failed$/);
    expect(stdout).toMatch(/\n23 of 23 checks failed in [\d.]+ m?s\n$/);
    expect(stdout).not.toContain("\u001b");
  });

  test("skips and names the checks that need a token with --no-token, even if the environment has one", async () => {
    const { code, stdout } = await command(["https://nobody.invalid", "--no-token", ...PATIENTLY], {
      MCP_EDGE_TOKEN: "x",
    });
    expect(code).toBe(1);
    expect(stdout).toMatch(
      /\n19 of 19 checks failed in [\d.]+ m?s\nLeft out without a token: Token accepted; MCP, 2025 client; MCP, 2026 client; MCP over HTTP\/3\n/,
    );
  });

  test("prints a report for programs, and prefers its options to the caller's host", async () => {
    const known = { url, ca: authority.caFile, address: "203.0.113.1", token: "from the caller" };
    const before = `const options = { resolveDefault: async () => (${JSON.stringify(known)}) };`;
    const { code, stdout } = await command(
      ["--json", "--connect", "127.0.0.1", ...PATIENTLY],
      { MCP_EDGE_TOKEN: "secret-token" },
      before,
    );
    const report = JSON.parse(stdout) as DoctorReport;
    expect(code).toBe(1);
    expect(report).toMatchObject({ url, ok: false, at: expect.any(String), ms: expect.any(Number) });
    expect(report.checks).toHaveLength(CHECKS.length);
    expect(report.checks[0]).toEqual({
      id: "dns",
      title: "DNS",
      tried: "A and AAAA of edge.test, by the system's resolver",
      got: "not asked, --connect gives 127.0.0.1",
      ok: true,
      ms: expect.any(Number),
    });
    expect(report.checks.find(({ id }) => id === "certificate")).toMatchObject({ ok: true });
    expect(stdout).not.toContain("secret-token");
  });

  test.each([
    [["http://edge.test"], "error: http://edge.test is plain HTTP: write https://edge.test"],
    [["https://edge.test/mcp"], "has a path: write https://edge.test"],
    [["https://edge.test", "--connect", "name"], "--connect takes an IP address"],
    [["https://edge.test", "--ca", "/nowhere.pem"], "The CA file /nowhere.pem cannot be read"],
    [["https://edge.test", "--timeout", "soon"], "--timeout takes seconds"],
  ])("explains %p, and exits with 2", async (args, message) => {
    const { code, stdout, stderr } = await command(args);
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toContain(message);
  });
});
