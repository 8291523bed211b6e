import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { http3Fetch } from "../../cli/http3/http3-fetch.ts";
import { openStreams } from "./streams.ts";
import { ask, Checkout, hostState, load, mcpHeaders, type UpOutput } from "./support.ts";

/** The whole life of two machines: an edge that passes connections on, and its origin with Caddy. */
const stack = "twohosts";
let checkout: Checkout;
let before: Record<string, string>;
let up: UpOutput;
let token = "";

beforeAll(async () => {
  before = await hostState();
  checkout = await Checkout.create();
  up = await checkout.up(stack, "--set", "edge=passthrough");
  token = up.token?.token ?? "";
}, 600_000);

afterAll(() => checkout.remove(stack), 600_000);

const on = async (machine: "edge" | "origin", ...command: string[]) =>
  (await checkout.cli("shell", "--stack", stack, "--machine", machine, "--", ...command)).stdout.trim();
const onOrigin = (...command: string[]) => on("origin", ...command);

describe("two machines", () => {
  test("are brought up with all checks of doctor passed, and without a failed unit", async () => {
    expect(up.doctor?.checks.filter((check) => !check.ok)).toEqual([]);
    expect(up.doctor?.checks.map(({ id }) => id)).toEqual(
      expect.arrayContaining(["forwarding", "http3", "certificate"]),
    );
    for (const machine of ["edge", "origin"] as const)
      expect(await on(machine, "systemctl", "--failed", "--no-legend", "--plain")).toBe("");
    // The edge has no key, no token and no server.
    const secrets = "find /srv/mcp-edge /etc/mcp-edge/server.env /opt/mcp-edge/active -type f 2>/dev/null";
    expect(await on("edge", "sh", "-c", secrets)).toBe("");
    expect(await onOrigin("caddy", "version")).toMatch(/^v?2\.(1[1-9]|[2-9]\d)/);
  }, 600_000);

  test("show the client's own address in the logs of HTTP/1.1, HTTP/2 and HTTP/3", async () => {
    const file = "/var/log/caddy/access.log";
    const lines = Number(await onOrigin("sh", "-c", `wc -l <${file}`));
    const { ipv4 } = up.deployed;
    const { host, hostname } = new URL(up.deployed.url);
    const ca = up.deployed.rootsFile;
    for (const version of ["--http1.1", "--http2"])
      await promisify(execFile)("curl", [
        "-s",
        version,
        "--cacert",
        ca,
        "--resolve",
        `${hostname}:443:${ipv4}`,
        `https://${host}/readyz?${version}`,
      ]);
    const client = http3Fetch({ ca: await readFile(ca, "utf8"), address: ipv4, connectTimeoutMs: 60_000 });
    expect((await client.fetch(`https://${host}/readyz`)).status).toBe(200);
    await client.close();
    // Caddy writes a line after the answer.
    const last = `for n in $(seq 300); do [ $(wc -l <${file}) -lt ${lines + 3} ] || break; sleep 0.2; done; tail -n 3 ${file}`;
    const log = await onOrigin("sh", "-c", last);
    const gateway = ipv4.replace(/\.\d+$/, ".1");
    expect(
      log.split("\n").map((line) => {
        const { request } = JSON.parse(line);
        return `${request.remote_ip} ${request.proto}`;
      }),
    ).toEqual(["HTTP/1.1", "HTTP/2.0", "HTTP/3.0"].map((protocol) => `${gateway} ${protocol}`));
  }, 600_000);

  test("keep each stream and each request through changes of Caddy, of the edge's rules, and a ban of another address", async () => {
    const streams = await openStreams(up, "/demo/stream?n=20&ms=300");
    const requests = load(up, token, 50, { repeat: true });
    await onOrigin("sh", "-c", "echo >>/etc/caddy/Caddyfile; systemctl reload caddy");
    await on("edge", "nft", "-f", "/etc/nftables.conf");
    await checkout.cli("bans", "add", "192.0.2.7", "--stack", stack);
    expect(await onOrigin("nft", "list", "table", "inet", "f2b-table")).toContain("192.0.2.7");
    const { failures, sent, repeated } = await requests.stop();
    expect([failures, sent > 20, repeated * 10 < sent]).toEqual([[], true, true]);
    expect(await streams.events()).toEqual({ "HTTP/3": 20, "HTTP/2": 20, "HTTP/1.1": 20 });
  }, 600_000);

  test("take a release on the origin and files on both without a failed request, and a rollback", async () => {
    await checkout.edit(
      "server/plugins/readiness.ts",
      /^/,
      "// changed\nconsole.error('another release');\n",
    );
    const requests = load(up, token, 50, { repeat: true });
    const second = await checkout.up(stack, "--set", "hstsSeconds=7");
    const { failures, sent, repeated } = await requests.stop();
    expect([failures, repeated * 10 < sent]).toEqual([[], true]);
    expect(second.deployed.release).not.toBe(up.deployed.release);
    expect((await ask(up, "/readyz")).headers["strict-transport-security"]).toBe("max-age=7");
    const status = await checkout.cli("status", "--stack", stack);
    expect(status.stdout).toContain(second.deployed.release.slice(0, 12));
    expect(status.stdout).toMatch(/edge: the origin .* answers, also through/);
    await checkout.cli("rollback", "--stack", stack, "--yes");
    expect((await checkout.cli("releases", "--stack", stack)).stdout).toMatch(
      new RegExp(`${up.deployed.release.slice(0, 12)}.*active`),
    );
  }, 600_000);

  test("are limited by token at the origin", async () => {
    // A rate that a slow host exceeds too.
    const slow =
      "echo RATE_LIMIT_TOKEN=1 >>/srv/mcp-edge/state/server.env; /usr/local/sbin/mcp-edge-deploy restart; echo $?";
    expect(await onOrigin("sh", "-c", slow)).toMatch(/^0$/m);
    const body = '{"jsonrpc":"2.0","id":1,"method":"tools/list"}';
    const statuses = await Promise.all(
      Array.from({ length: 400 }, () =>
        ask(up, "/mcp", { method: "POST", headers: mcpHeaders(token), body }).then(({ status }) => status),
      ),
    );
    expect(statuses).toContain(429);
  }, 600_000);

  test("are removed by down, and nothing is left", async () => {
    expect((await checkout.cli("down", "--stack", stack)).code).toBe(0);
    expect(await hostState()).toEqual(before);
  }, 600_000);
});
