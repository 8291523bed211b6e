import { appendFile, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { http3Fetch } from "../../cli/http3/http3-fetch.ts";
import { conformance } from "../server/conformance/suite.ts";
import { goBackToOneNginx } from "./earlier-version.ts";
import { describeLibraryUpgrade } from "./library-upgrade.ts";
import { openStreams } from "./streams.ts";
import { ask, Checkout, inMachine, load, mcpHeaders, type UpOutput } from "./support.ts";
import { withToken } from "./with-token.ts";

/** Changes of a running machine: a release, a broken release, a broken file, an upgrade of libraries. Requests are served throughout. */
const stack = "deploys";
let checkout: Checkout;
let first: UpOutput;
let token = "";

beforeAll(async () => {
  checkout = await Checkout.create();
  // The load comes from one address, whose limit must not refuse it.
  first = await checkout.up(stack, "--no-doctor", "--set", "rateLimit=1000");
  token = first.token?.token ?? "";
}, 600_000);

afterAll(() => checkout.remove(stack), 600_000);

const servedVersion = async () => {
  const params = { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: "t", version: "1" } };
  const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "initialize", params });
  const answer = await ask(first, "/mcp", { method: "POST", headers: mcpHeaders(token), body });
  expect(answer.status).toBe(200);
  return /"version":"([^"]+)"/.exec(answer.body)?.[1];
};

const status = async () =>
  JSON.parse((await inMachine(checkout, stack, "mcp-edge-deploy", "status", "--json")).stdout);

describe("a release", () => {
  test("with changed server code is switched to in place, without a failed request", async () => {
    const before = await status();
    await checkout.edit("server/version.ts", '"0.1.0"', '"0.1.0-next"');
    const traffic = load(first, token);
    const second = await checkout.up(stack, "--no-doctor");
    const { sent, failures } = await traffic.stop();
    expect(failures).toEqual([]);
    expect(sent).toBeGreaterThan(200);
    expect(second.deployed.release).not.toBe(first.deployed.release);
    expect(await servedVersion()).toBe("0.1.0-next");
    const after = await status();
    expect(after).toMatchObject({
      release: second.deployed.release,
      previous: first.deployed.release,
      ready: true,
    });
    expect(after.colour).not.toBe(before.colour);
  }, 600_000);

  test("keeps the sessions of the previous one, also after switching back", async () => {
    const ca = await readFile(first.deployed.rootsFile, "utf8");
    const http3 = http3Fetch({ ca });
    const transport = new StreamableHTTPClientTransport(new URL(first.deployed.url), {
      fetch: http3.fetch,
      requestInit: { headers: { authorization: `Bearer ${token}` } },
    });
    const client = new Client({ name: "test", version: "1" });
    try {
      await client.connect(transport);
      const session = transport.sessionId;
      expect(session).toBeTruthy();
      const tools = (await client.listTools()).tools.length;
      await checkout.edit("server/version.ts", '"0.1.0-next"', '"0.1.0-after"');
      const up = await checkout.up(stack, "--no-doctor");
      expect(up.deployed.release).not.toBe(first.deployed.release);
      expect((await client.listTools()).tools.length).toBe(tools);
      const found = await client.callTool({ name: "list_files", arguments: { path: "server" } });
      expect(found.isError ?? false).toBe(false);
      expect(transport.sessionId).toBe(session);
      await checkout.edit("server/version.ts", '"0.1.0-after"', '"0.1.0-next"');
      await checkout.up(stack, "--no-doctor");
      expect((await client.listTools()).tools.length).toBe(tools);
    } finally {
      await client.close();
      await http3.close();
    }
  }, 600_000);

  test("is left for the previous one by rollback, without a failed request", async () => {
    const before = await status();
    const traffic = load(first, token);
    const back = await checkout.cli("rollback", "--stack", stack, "--yes");
    expect({ code: back.code, stderr: back.code === 0 ? "" : back.stderr }).toEqual({ code: 0, stderr: "" });
    expect(await servedVersion()).toBe("0.1.0-after");
    const listed = await checkout.cli("releases", "--stack", stack, "--json");
    const kept = JSON.parse(listed.stdout) as { release: string; state: string }[];
    expect(kept.find(({ state }) => state === "previous")?.release).toBe(before.release);
    const unknown = await checkout.cli("rollback", "0000", "--stack", stack, "--yes");
    expect(unknown.code).toBe(1);
    expect(unknown.stderr).toContain("No kept release begins with 0000");
    await checkout.cli("rollback", before.release.slice(0, 12), "--stack", stack, "--yes");
    expect(await servedVersion()).toBe("0.1.0-next");
    expect((await traffic.stop()).failures).toEqual([]);
  }, 600_000);

  test("that does not become ready is not switched to, and up fails with its log", async () => {
    const before = await status();
    const main = join(checkout.folder, "server/main.ts");
    const good = await readFile(main, "utf8");
    await writeFile(main, `throw new Error("this release is broken on purpose");\n${good}`);
    const traffic = load(first, token, 50);
    const result = await checkout.cli("up", "--stack", stack, "--no-doctor");
    const { failures } = await traffic.stop();
    await writeFile(main, good);
    expect(result.code).toBe(1);
    expect(result.stderr).toContain("this release is broken on purpose");
    expect(failures).toEqual([]);
    expect(await status()).toEqual(before);
    expect(await servedVersion()).toBe("0.1.0-next");
  }, 600_000);

  test("with a wrong hash is refused before it is unpacked", async () => {
    const before = await status();
    const wrong = "0".repeat(64);
    const incoming = join(checkout.folder, `.mcp-edge/stacks/${stack}/data/incoming`);
    await writeFile(join(incoming, `${wrong}.tar.zst`), "this is not what its name says");
    const result = await inMachine(checkout, stack, "mcp-edge-deploy", "release", wrong);
    expect(result.code).toBe(1);
    expect(result.stderr).toMatch(/sha256|hash/i);
    expect(await status()).toEqual(before);
  }, 600_000);
});

describe("the machine's files", () => {
  const config = "cloud-init/files/nginx/nginx.conf.liquid";

  test("keep the old NGINX file if the new one is broken, and up fails with NGINX's message", async () => {
    const before = await status();
    await appendFile(join(checkout.folder, config), "\nthis_is_no_directive on;\n");
    const result = await checkout.cli("up", "--stack", stack, "--no-doctor");
    await checkout.restore(config);
    expect(result.code).toBe(1);
    expect(result.stderr).toContain("this_is_no_directive");
    expect((await ask(first, "/readyz")).status).toBe(200);
    expect(await status()).toEqual(before);
  }, 600_000);

  test("are updated in place when a setting changes", async () => {
    await checkout.up(stack, "--no-doctor", "--set", "rateLimit=77");
    const served = await inMachine(checkout, stack, "grep", "-r", "rate=77r/s", "/etc/nginx");
    expect(served.code).toBe(0);
    expect((await ask(first, "/readyz")).status).toBe(200);
  }, 600_000);
});

describeLibraryUpgrade(() => ({ checkout, stack, up: { ...first, token: { id: "", token } } }));

describe("a machine of the version before NGINX ran in generations", () => {
  test("is brought up to date without a failed request or an ended stream", async () => {
    const former = await goBackToOneNginx(checkout, stack, new URL(first.deployed.url).hostname);
    // The streams of the test send something more often than others.
    await checkout.edit("cloud-init/deploy/mcp-edge-nginx", "TRACK_SECONDS=20", "TRACK_SECONDS=5");
    const streams = await openStreams(first, "/demo/stream?n=60&ms=500");
    const traffic = load(first, token, 20);
    await checkout.up(stack, "--no-doctor");
    expect((await traffic.stop()).failures).toEqual([]);
    const SHOW =
      "mcp-edge-nginx status; cat /sys/fs/cgroup/$(systemctl show -P ControlGroup nginx-former.scope)/cgroup.procs";
    const { stdout } = await inMachine(checkout, stack, "bash", "-c", SHOW);
    expect(stdout).toMatch(/^generation 1: \d+ connections, has the new flows$/m);
    expect(stdout.split("\n")).toContain(former);
    expect(await streams.events()).toEqual({ "HTTP/3": 60, "HTTP/2": 60, "HTTP/1.1": 60 });
  }, 600_000);
});

describe("the public conformance suite, through NGINX", () => {
  let proxy: Awaited<ReturnType<typeof withToken>>;
  beforeAll(async () => {
    // A release with the suite's fixtures, which a real release does not have.
    const main = join(checkout.folder, "server/main.ts");
    const profile = 'import { conformanceProfile } from "../test/server/conformance/profile.ts";\n';
    await writeFile(main, profile + (await readFile(main, "utf8")));
    await checkout.edit(
      "server/main.ts",
      "createApp({ config,",
      "createApp({ config, profile: conformanceProfile,",
    );
    await checkout.up(stack, "--no-doctor", "--set", "rateLimit=1000");
    proxy = await withToken(first, token);
  }, 600_000);
  afterAll(() => proxy?.close());

  test.each(["2025-11-25", "2026-07-28"])(
    "passes in every scored scenario of %s",
    async (revision) => {
      const { code, output } = await conformance(`${proxy.origin}/mcp`, "--requirements", revision);
      expect({ code, output: code === 0 ? "" : output }).toEqual({ code: 0, output: "" });
      expect(output.match(/=== Running scenario/g)?.length).toBeGreaterThanOrEqual(30);
    },
    300_000,
  );
});
