import { hash, X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import { connect } from "node:tls";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { http3Fetch } from "../../cli/http3/http3-fetch.ts";
import { TOOLS } from "../../server/tools/index.ts";
import { openChromium } from "../support/chromium.ts";
import { openStreams } from "./streams.ts";
import { ask, Checkout, hostState, inMachine, load, mcpHeaders, type UpOutput } from "./support.ts";

/** The whole life of one machine: created, checked by doctor, used over HTTP/3, disturbed, restarted, removed. */
const stack = "whole";
let checkout: Checkout;
let before: Record<string, string>;
let firstUp: UpOutput;
let token = "";

beforeAll(async () => {
  before = await hostState();
  checkout = await Checkout.create();
  firstUp = await checkout.up(stack);
  token = firstUp.token?.token ?? "";
}, 600_000);

afterAll(() => checkout.remove(stack), 600_000);

const until = async (limit: number, probe: () => Promise<boolean>) => {
  const end = Date.now() + limit;
  while (Date.now() < end) {
    if (await probe().catch(() => false)) return true;
    await new Promise((done) => setTimeout(done, 100));
  }
  return false;
};

/** Of the certificate that the machine serves. */
const spkiOf = (host: string, servername: string) =>
  new Promise<string>((resolve, reject) => {
    const socket = connect({ host, port: 443, servername, rejectUnauthorized: false }, () => {
      const { publicKey } = new X509Certificate(socket.getPeerCertificate().raw);
      socket.end();
      resolve(hash("sha256", publicKey.export({ type: "spki", format: "der" }), "base64"));
    }).on("error", reject);
  });

const ready = async () => (await ask(firstUp, "/readyz", { patience: 10_000 })).status === 200;
const pidOf = async (unit: string) =>
  Number(
    (await inMachine(checkout, stack, "systemctl", "show", "-p", "MainPID", "--value", unit)).stdout.trim(),
  );
/** The generation of NGINX that has the new flows. */
const currentNginx = async () =>
  `nginx@${(await inMachine(checkout, stack, "cat", "/run/nginx/current")).stdout.trim()}.service`;
const activeUnit = async () => {
  const status = await inMachine(checkout, stack, "mcp-edge-deploy", "status", "--json");
  return `mcp-edge@${JSON.parse(status.stdout).colour}.service`;
};

describe("up", () => {
  test("ends with all checks of doctor passed", () => {
    expect(firstUp.doctor?.checks.filter((check) => !check.ok)).toEqual([]);
    expect(firstUp.doctor?.checks.length).toBeGreaterThan(10);
    expect(firstUp.doctor?.ok).toBe(true);
  });

  test("ends with cloud-init done, not degraded, and without a failed unit", async () => {
    const status = await inMachine(checkout, stack, "cloud-init", "status", "--format", "json");
    expect(JSON.parse(status.stdout)).toMatchObject({ extended_status: "done", errors: [] });
    // As an operator runs a command there.
    const listFailed = ["systemctl", "--failed", "--no-legend", "--plain"];
    const failed = await checkout.cli("shell", "--stack", stack, "--", ...listFailed);
    expect([failed.code, failed.stdout.trim()]).toEqual([0, ""]);
  });

  test("keeps the token only as a hash", async () => {
    expect(token).toMatch(/^mcp_/);
    const kept = await inMachine(checkout, stack, "grep", "-rlF", token, "/srv/mcp-edge", "/etc", "/var/log");
    expect(kept.stdout).toBe("");
    const state = await readFile(`${checkout.env.MCP_EDGE_HOME}/stacks/${stack}/outputs.json`, "utf8");
    expect(state).not.toContain(token);
  });

  test("reports no changes when it is run again", async () => {
    const again = await checkout.up(stack, "--no-doctor");
    expect(Object.keys(again.changes).filter((operation) => again.changes[operation])).toEqual(["same"]);
    expect(again.token).toBeUndefined();
    expect(again.enrolment).toBeUndefined();
  }, 600_000);
});

describe("a browser", () => {
  test("reaches the pages over HTTP/3, and is told so", async () => {
    const { url, ipv4 } = firstUp.deployed;
    const { hostname, origin } = new URL(url);
    const browser = await openChromium([
      `--origin-to-force-quic-on=${hostname}:443`,
      `--host-resolver-rules=MAP ${hostname} ${ipv4}`,
      `--ignore-certificate-errors-spki-list=${await spkiOf(ipv4, hostname)}`,
    ]);
    if (typeof browser === "string") throw new Error(browser);
    try {
      const page = await browser.newPage();
      await page.goto(origin);
      expect(await page.evaluate("performance.getEntriesByType('navigation')[0].nextHopProtocol")).toBe("h3");
      expect(await page.getByRole("main").textContent()).toContain("HTTP/3");
      await page.goto(firstUp.enrolment?.link ?? "");
      expect(await page.getByRole("heading", { level: 1 }).textContent()).toBe("Choose how to sign in");
    } finally {
      await browser.close();
    }
  }, 600_000);
});

describe("people who sign in", () => {
  test("up adds the owner once, with a link that works once", async () => {
    expect(firstUp.enrolment).toMatchObject({
      login: "owner",
      link: expect.stringMatching(/^https:\/\/.*\/enrol\?link=/),
    });
    const { stdout } = await checkout.cli("user", "list", "--stack", stack, "--json");
    expect(JSON.parse(stdout)).toMatchObject([{ login: "owner", scopes: ["code:read", "ops"] }]);
  });

  test("every client that doctor knows gets in, up to a tool call", async () => {
    const { code, stdout } = await checkout.cli("doctor", "--stack", stack, "--as", "all", "--json");
    const reports = JSON.parse(stdout) as { as: string; checks: { id: string; ok: boolean }[] }[];
    expect(reports).toHaveLength(8);
    expect(reports.flatMap(({ checks }) => checks.filter(({ ok }) => !ok))).toEqual([]);
    for (const { checks } of reports) expect(checks.map(({ id }) => id)).toContain("tools");
    expect(code).toBe(0);
  });

  test("the trace and the audit log show it, and the log's chain is whole", async () => {
    const trace = await checkout.cli("oauth", "trace", "--stack", stack, "--json");
    const types = (JSON.parse(trace.stdout) as { type: string }[]).map(({ type }) => type);
    expect(types).toEqual(expect.arrayContaining(["sign-in", "consent", "token.issued", "token.refreshed"]));
    const audit = await checkout.cli("audit", "list", "--stack", stack, "--tool", "list_repos");
    expect(audit.stdout).toMatch(/tool\.call +Doctor of mcp-edge.*outcome=ok/);
    expect((await checkout.cli("audit", "verify", "--stack", stack)).code).toBe(0);
  });
});

describe("a real MCP client over HTTP/3", () => {
  test("finds a line of this repository's code by search_text", async () => {
    const ca = await readFile(firstUp.deployed.rootsFile, "utf8");
    const http3 = http3Fetch({ ca });
    const transport = new StreamableHTTPClientTransport(new URL(firstUp.deployed.url), {
      fetch: http3.fetch,
      requestInit: { headers: { authorization: `Bearer ${token}` } },
    });
    const client = new Client(
      { name: "test", version: "1" },
      { versionNegotiation: { mode: { pin: "2026-07-28" } } },
    );
    try {
      await client.connect(transport);
      const { tools } = await client.listTools();
      const names = tools.map(({ name }) => name).sort();
      // The machine has what all tools need, except an embeddings service, which is not configured. search and fetch are for ChatGPT.
      const absent = ["search_semantic", "search", "fetch"];
      expect(names).toEqual(
        TOOLS.map(({ name }) => name)
          .filter((name) => !absent.includes(name))
          .sort(),
      );
      const query = "export class Checkout";
      const found = await client.callTool({ name: "search_text", arguments: { query } });
      expect(found.isError ?? false).toBe(false);
      expect(JSON.stringify(found.structuredContent)).toContain("test/machine/support.ts");
    } finally {
      await client.close();
      await http3.close();
    }
  }, 600_000);
});

describe("unwanted requests", () => {
  test("for another host on an accepted connection are refused", async () => {
    const { status, body } = await ask(firstUp, "/mcp", { headers: { host: "foreign.invalid" } });
    expect([status, JSON.parse(body)]).toEqual([421, expect.objectContaining({ jsonrpc: "2.0", id: null })]);
  });

  test("with one expired token cause no ban; with guessed tokens they do, doctor reports the ban, and it can be lifted", async () => {
    const post = (bearer: string) =>
      ask(firstUp, "/mcp", {
        ...{ method: "POST", headers: mcpHeaders(bearer), body: "{}" },
        patience: 15_000, // of a banned client
      }).catch(() => undefined);
    const banned = async () => (await inMachine(checkout, stack, "fail2ban-client", "banned")).stdout;
    for (let i = 0; i < 40; i++) await post("mcp_dead");
    expect((await post(token))?.status).not.toBe(401);
    expect(await banned()).toContain("{'mcp-edge': []}");
    await Promise.all(Array.from({ length: 25 }, (_, i) => post(`mcp_guess_${i}`)));
    expect(await until(60_000, async () => /'mcp-edge': \['/.test(await banned()))).toBe(true);
    expect((await inMachine(checkout, stack, "systemctl", "reload", "nginx")).code).toBe(0);
    const [{ address }] = JSON.parse((await checkout.cli("bans", "list", "--stack", stack, "--json")).stdout);
    const doctor = await checkout.cli("doctor", "--stack", stack, "--json", "--timeout", "3");
    // Before anything is expected: the tests after this one have the same address.
    const { stdout } = await checkout.cli("bans", "lift", address, "--stack", stack);
    const { checks } = JSON.parse(doctor.stdout) as { checks: { id: string; ok: boolean; fix?: string }[] };
    expect(checks.find(({ id }) => id === "bans")).toMatchObject({
      ok: false,
      fix: expect.stringContaining("mcp-edge -- bans lift "),
    });
    // The reload of NGINX before let nobody in.
    expect(checks.find(({ id }) => id === "tcp")).toMatchObject({ ok: false });
    expect(stdout).toContain(`Lifted: ${address}  guessed credentials`);
    expect(await until(120_000, ready)).toBe(true);
  }, 600_000);
});

describe("a renewed certificate", () => {
  test("is served at once, without a reload, while a stream over HTTP/3 continues", async () => {
    const ca = await readFile(firstUp.deployed.rootsFile, "utf8");
    const { hostname } = new URL(firstUp.deployed.url);
    const serial = async () => {
      const { connect } = await import("node:tls");
      return new Promise<string>((done, fail) => {
        const socket = connect({ host: firstUp.deployed.ipv4, port: 443, servername: hostname, ca }, () => {
          done(socket.getPeerCertificate().serialNumber);
          socket.end();
        });
        socket.on("error", fail);
      });
    };
    const nginx = await pidOf(await currentNginx());
    const workers = (await inMachine(checkout, stack, "pgrep", "-P", String(nginx))).stdout;
    const old = await serial();
    // As Debian's timer calls it, but forced, since the certificate is not due.
    const renew = ["certbot", "-q", "renew", "--no-random-sleep-on-renew", "--force-renewal"];
    const http3 = http3Fetch({ ca });
    try {
      const response = await http3.fetch(`https://${hostname}/demo/stream?n=15&ms=500`);
      const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
      let text = "";
      const reading = (async () => {
        for (;;) {
          const part = await reader?.read();
          if (!part || part.done) return;
          text += part.value;
        }
      })();
      const renewal = await inMachine(checkout, stack, ...renew);
      expect(renewal.stderr + renewal.stdout).toBe("");
      expect(renewal.code).toBe(0);
      expect(await serial()).not.toBe(old);
      expect(await pidOf(await currentNginx())).toBe(nginx);
      expect((await inMachine(checkout, stack, "pgrep", "-P", String(nginx))).stdout).toBe(workers);
      await reading;
      expect(text.match(/^data:/gm)).toHaveLength(15);
    } finally {
      await http3.close();
    }
  }, 600_000);
});

describe("changes of NGINX", () => {
  // The third is what Debian's package does after an upgrade (nginx.postinst). The last one has a file that NGINX refuses.
  const CHANGES = `
    systemctl reload nginx; echo $?; systemctl restart nginx; echo $?
    { invoke-rc.d nginx upgrade || invoke-rc.d nginx restart; } 2>/dev/null; echo $?
    echo 'broken;' >/srv/mcp-edge/nginx/http.d/broken.conf; systemctl reload nginx 2>/dev/null; echo $?
    rm /srv/mcp-edge/nginx/http.d/broken.conf; mcp-edge-nginx status`;

  test("end no stream over HTTP/3, HTTP/2 and HTTP/1.1, and no request fails", async () => {
    const streams = await openStreams(firstUp, "/demo/stream?n=30&ms=500");
    const traffic = load(firstUp, token, 20);
    const { stdout } = await inMachine(checkout, stack, "bash", "-c", CHANGES);
    const { failures } = await traffic.stop();
    const [reload, restart, upgrade, refused, ...status] = stdout.trim().split("\n");
    expect([reload, restart, upgrade, refused]).toEqual(["0", "0", "0", "1"]);
    expect(status.at(-1)).toMatch(/^generation \d+: \d+ connections, has the new flows$/);
    expect(status).toContainEqual(expect.stringMatching(/^generation \d+: [1-9]\d* connections, replaced/));
    expect(failures).toEqual([]);
    expect(await streams.events()).toEqual({ "HTTP/3": 30, "HTTP/2": 30, "HTTP/1.1": 30 });
  }, 600_000);
});

describe("kill -9", () => {
  test("of the server is followed by a restart", async () => {
    const unit = await activeUnit();
    const pid = await pidOf(unit);
    // What systemd-run does a minute after the restart: the next restart comes without a delay. In one script, to be earlier.
    const lasts = unit.replace("@", "-").replace(".service", "-lasts.service");
    const restarts = `systemctl show -P NRestarts ${unit}`;
    const script = `kill -9 ${pid}
      until now=$(systemctl show -P MainPID ${unit}) && [ $now != 0 ] && [ $now != ${pid} ] && systemctl -q is-active ${unit}; do sleep 0.1; done
      ${restarts}; systemctl start ${lasts}; ${restarts}`;
    const counted = await inMachine(checkout, stack, "bash", "-c", script);
    expect(counted.stdout.trim().split("\n")).toEqual([expect.stringMatching(/^[1-9]/), "0"]);
    expect(await until(120_000, ready)).toBe(true);
    expect(await pidOf(unit)).not.toBe(pid);
  }, 600_000);

  test("of NGINX's workers or its master is followed by a restart", async () => {
    const master = await pidOf(await currentNginx());
    await inMachine(checkout, stack, "pkill", "-9", "-P", String(master));
    expect(await until(120_000, ready)).toBe(true);
    await inMachine(checkout, stack, "kill", "-9", String(master));
    expect(await until(120_000, ready)).toBe(true);
  }, 600_000);
});

describe("a machine that reboots", () => {
  test("starts again by itself, and serves", async () => {
    const started = async () =>
      (await inMachine(checkout, stack, "cut", "-d", " ", "-f", "22", "/proc/1/stat")).stdout;
    const before = await started();
    expect((await inMachine(checkout, stack, "systemctl", "reboot")).code).toBe(0);
    expect(await until(300_000, async () => ![before, ""].includes(await started()))).toBe(true);
    expect(await until(120_000, ready)).toBe(true);
  }, 600_000);
});

describe("a machine that was powered off", () => {
  test("is started again by up, with its certificate, its token and its address", async () => {
    const poweroff = await inMachine(checkout, stack, "systemctl", "poweroff");
    expect(poweroff.code).toBe(0);
    expect(
      await until(120_000, async () => (await checkout.cli("logs", "--stack", stack, "-n", "1")).code !== 0),
    ).toBe(true);
    const again = await checkout.up(stack);
    expect(again.doctor?.checks.filter((check) => !check.ok)).toEqual([]);
    expect(again.token).toBeUndefined();
    expect(again.deployed.ipv4).toBe(firstUp.deployed.ipv4);
    const body = '{"jsonrpc":"2.0","id":1,"method":"tools/list"}';
    const headers = {
      authorization: `Bearer ${token}`,
      "content-type": "application/json",
      accept: "application/json, text/event-stream",
    };
    expect((await ask(again, "/mcp", { method: "POST", headers, body })).status).toBe(200);
  }, 600_000);
});

describe("down", () => {
  test("leaves the host as it was", async () => {
    const result = await checkout.cli("down", "--stack", stack);
    expect(result.stderr).toBe("");
    expect(result.code).toBe(0);
    expect(await hostState()).toEqual(before);
    const again = await checkout.cli("down", "--stack", stack);
    expect(again.stdout).toContain(`There is no stack ${stack}`);
  }, 600_000);
});
