import { readdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { awsUserData } from "../../cloud-init/aws-user-data.ts";
import type { Validator } from "../../cloud-init/file-row.ts";
import { FILES } from "../../cloud-init/file-table.ts";
import { machineFiles } from "../../cloud-init/machine-files.ts";
import { renderTemplate } from "../../cloud-init/render.ts";
import type { MachineSettings } from "../../cloud-init/settings.ts";
import { userData } from "../../cloud-init/user-data.ts";
import { DebianRoot, whyNot } from "./debian-root.ts";
import { AROUND, AWS_SETTINGS, RELEASE, SETTINGS } from "./fixture.ts";
import { gixy } from "./gixy.ts";

/** The programs that read the machine's files check them, in the versions of Debian 13. */
const reason = whyNot();

if (reason !== undefined) {
  test(`the validators cannot run here: ${reason}`, () => {
    expect(process.env.CI).not.toBe("true");
  });
} else {
  describe("Debian 13 accepts the machine's files", suite);
}

function suite() {
  // All files that a machine can have, including those of a local machine.
  const files = machineFiles(AWS_SETTINGS);
  let root: DebianRoot;

  beforeAll(async () => {
    root = await DebianRoot.create(files);
    root.write("/user-data", userData(SETTINGS, RELEASE));
    root.write("/user-data-aws", awsUserData(AROUND));
    // Files of a first release, which the units name.
    root.write("/opt/mcp-edge/blue/bin/node", "#!/bin/sh\n", 0o755);
    for (const name of ["mcp-edge-new", "mcp-edge-pull-change"])
      root.write(`/etc/systemd/system/${name}.service`, "[Service]\nExecStart=/usr/bin/true\n");
    expect(await root.sh("mcp-edge-cert bootstrap")).toEqual({
      code: 0,
      output: expect.stringContaining("self-signed"),
    });
  }, 600_000);
  afterAll(() => root?.remove());

  const fine = { code: 0, output: "" };

  test.each(["/user-data", "/user-data-aws"])("cloud-init schema %s", async (file) => {
    const { code, output } = await root.sh(`cloud-init schema --config-file ${file}`);
    expect([code, output.trim()]).toEqual([0, `Valid schema ${file}`]);
  });

  test("nginx -t passes without a warning, with the first boot's limit of open files", async () => {
    const { code, output } = await root.sh("ulimit -Sn 1024; nginx -t");
    expect(code).toBe(0);
    expect(output.split("\n").filter((line) => /\[(warn|alert|error|emerg)\]/.test(line))).toEqual([]);
  });

  test("nginx -t passes for every kind of settings, also with all of them at once", async () => {
    const apart: Partial<MachineSettings>[] = [
      { aws: undefined, tokenDomain: "", methodRates: {}, pathRates: {} },
      { allowedClients: ["openai", "203.0.113.0/24", "2001:db8::/32"] },
      { blockedUserAgents: ["BadBot/1.0 (x)"] },
      { trustedProxies: ["198.51.100.0/24", "2001:db8:ffff::/48"] },
      { trustedProxies: ["198.51.100.0/24"], proxyProtocol: true },
      { quicRetry: true, earlyData: true, postQuantum: false, hstsSeconds: 0, altSvcSeconds: 0 },
      { bodyKiB: 16, openRequests: 8_000, rateLimit: 10_000, rateBurst: 20_000 },
      { allowedOrigins: ["https://*.example.com"] },
    ];
    const isNginx = ({ path }: { path: string }) =>
      path.startsWith("/etc/nginx/") || path === "/etc/nftables.conf";
    try {
      for (const change of [...apart, Object.assign({}, ...apart.slice(1))]) {
        for (const { path, content } of machineFiles({ ...AWS_SETTINGS, ...change }).filter(isNginx))
          root.write(path, content);
        const { output } = await root.sh("ulimit -Sn 1024; nginx -t; nft -c -f /etc/nftables.conf");
        const complaints = output
          .split("\n")
          .filter((line) => /\[(warn|alert|error|emerg)\]|Error/.test(line));
        expect({ change, complaints }).toEqual({ change, complaints: [] });
      }
      expect(await gixy((await root.sh("nginx -T -q 2>/dev/null")).output)).toEqual([]);
    } finally {
      for (const { path, content } of files.filter(isNginx)) root.write(path, content);
    }
  });

  test("nginx -t reports a broken line", async () => {
    const { code, output } = await root.sh(
      "sed 's/http2 on;/http2 maybe;/' /etc/nginx/mcp-edge/tls.conf >/tmp/tls.conf && " +
        "sed 's|/etc/nginx/mcp-edge/tls.conf|/tmp/tls.conf|' /etc/nginx/nginx.conf >/tmp/nginx.conf && nginx -t -c /tmp/nginx.conf",
    );
    expect([code, output]).toEqual([
      1,
      expect.stringContaining('invalid value "maybe" in "http2" directive'),
    ]);
  });

  test("NGINX's own 429 is JSON-RPC on /mcp and plain JSON elsewhere, with Retry-After", async () => {
    const curl = `curl -sk --resolve '${SETTINGS.domain}:443:127.0.0.1' https://${SETTINGS.domain}`;
    // The rate is so low that no further request passes during the test. No server listens, so the first requests get 502.
    const { output } = await root.sh(`ip link set lo up; ulimit -n 65536
      sed 's|rate=[0-9]*r/s|rate=1r/m|' /etc/nginx/mcp-edge/limits.conf >/tmp/limits.conf
      sed 's|/etc/nginx/mcp-edge/limits.conf|/tmp/limits.conf|' /etc/nginx/nginx.conf >/tmp/nginx.conf
      nginx -c /tmp/nginx.conf 2>/dev/null
      ${curl}/mcp'?[1-${2 * SETTINGS.rateLimit + 5}]' -o /dev/null
      ${curl}/mcp/?token=x -X POST -d '{}' -D - -w '\n'; ${curl}/mcphost -w '\n%{content_type}\n'
      ${curl}/mcp/deeper -w '\n'; nginx -s stop`);
    const [headers = "", body = ""] = output.replaceAll("\r", "").split("\n\n");
    expect(headers).toMatch(/^HTTP\/2 429 *$/m);
    expect(headers).toMatch(/^content-type: application\/json$/m);
    expect(headers).toMatch(/^retry-after: 1$/m);
    expect(headers).toMatch(/^alt-svc: /m);
    const [onMcp = "", elsewhere = "", type, deeper = ""] = body.trim().split("\n");
    const message = `Too many requests: at most ${SETTINGS.rateLimit} a second, fewer for some methods and paths; try again in 1 s`;
    const id = expect.stringMatching(/^[0-9a-f]{32}$/);
    expect(JSON.parse(onMcp)).toEqual({
      jsonrpc: "2.0",
      error: { code: -32_000, message, data: { request_id: id, retry_after: 1 } },
      id: null,
    });
    expect(JSON.parse(elsewhere)).toEqual({ error: message, request_id: id, retry_after: 1 });
    expect(type).toBe("application/json");
    expect(JSON.parse(deeper)).toHaveProperty("retry_after", 1);
  });

  test("the machine reports its certificate, its tracked flows and the bans of all jails; without fail2ban no bans", async () => {
    const fake = "/usr/local/sbin/fail2ban-client";
    root.write(
      fake,
      `#!/bin/sh
echo "[{'sshd': ['192.0.2.1']}, {'mcp-edge': ['192.0.2.1', '2001:db8::/64']}, {'recidive': []}, {'mcp-edge-manual': ['203.0.113.0/24']}]"
`,
      0o755,
    );
    const report = async (before = "") =>
      JSON.parse((await root.sh(`${before}mcp-edge-report && cat /run/mcp-edge-report/machine.json`)).output);
    const certificate = { from: expect.any(Number), to: expect.any(Number), failed: false };
    const flows = { tracked: expect.any(Number), limit: expect.any(Number) };
    expect(await report()).toEqual({ at: expect.any(Number), certificate, bans: 4, flows });
    root.write(fake, `#!/bin/sh\necho "[{'sshd': []}, {'mcp-edge': []}]"\n`, 0o755);
    expect(await report()).toMatchObject({ bans: 0 });
    const failed = "mkdir -p /run/mcp-edge-cert; echo full >/run/mcp-edge-cert/problem; ";
    expect(await report(failed)).toMatchObject({ certificate: { failed: true } });
    root.write(fake, "#!/bin/sh\nexit 255\n", 0o755);
    expect(await report()).toEqual({ at: expect.any(Number), certificate, flows });
    await root.sh(`rm ${fake}`);
  });

  test("gixy finds no weakness in the NGINX configuration", async () => {
    const { output } = await root.sh("nginx -T -q 2>/dev/null");
    expect(await gixy(output)).toEqual([]);
  });

  test("nft accepts the firewall", async () => {
    expect(await root.sh("nft -c -f /etc/nftables.conf")).toEqual(fine);
  });

  test("systemd accepts the accounts, the folders and the units", async () => {
    const { output } = await root.sh(
      "stat -c '%a %U %G %u' /srv/mcp-edge/{tls,state,state/sessions,workspace,letsencrypt}",
    );
    expect(output).toBe(
      "750 root www-data 0\n750 root mcp-edge 0\n700 mcp-edge mcp-edge 880\n750 mcp-edge mcp-edge 880\n700 root root 0",
    );
    const logs = await root.sh(
      "find /var/log/nginx -name '*.log' ! -perm 0640 -o -name 'mcp*.log' ! -user www-data",
    );
    expect(logs).toEqual(fine);
    const units = UNITS.map((unit) => unit.replace("@.", "@blue.")).join(" ");
    expect(await root.sh(`systemd-analyze verify --man=no ${units} nginx.service nftables.service`)).toEqual(
      fine,
    );
  });

  test.each([
    ["mcp-edge@blue.service", 2.0],
    ["mcp-edge-start.service", 2.0],
    ["mcp-edge-tls.service", 2.0],
    ["mcp-edge-cert.service", 2.0],
    ["mcp-edge-workspace.service", 2.0],
    ["mcp-edge-pull.service", 2.0], // it only requests and reports; another unit changes the machine
    ["mcp-edge-recover.service", 2.0],
    ["mcp-edge-reboot.service", 2.0],
    ["mcp-edge-new.service", 6.0], // a unit without sandbox settings has the common ones
    ["mcp-edge-patches.service", 2.0],
    ["mcp-edge-metrics.service", 2.0],
    ["mcp-edge-logs.service", 2.0],
    ["mcp-edge-logrotate.service", 2.0],
    ["mcp-edge-report.service", 2.0],
    ["nginx.service", 3.0], // Debian's own: 9.4
    ["nginx@1.service", 3.0],
    ["mcp-edge-nginx.service", 2.0],
    ["fail2ban.service", 2.0], // Debian's own: 9.6
  ])("%s has an exposure level of %d at most", async (unit, limit) => {
    const { output } = await root.sh(`systemd-analyze security --offline=true --no-pager ${unit}`);
    const exposure = Number(/Overall exposure level for \S+ ([\d.]+)/.exec(output)?.[1]);
    expect(exposure).toBeGreaterThan(0);
    expect(exposure).toBeLessThanOrEqual(limit);
  });

  test("the unit that runs deployments has no sandbox, since they install packages", async () => {
    const { output } = await root.sh(
      "systemd-analyze security --offline=true --no-pager mcp-edge-pull-change.service",
    );
    expect(output).toMatch(/Overall exposure level for \S+ 9\./);
  });

  test("fail2ban accepts the jails, with TCP and UDP", async () => {
    const { code, output } = await root.sh(
      "mkdir -p /run/fail2ban && touch /var/log/nginx/refused.log && fail2ban-client -d",
    );
    expect(code).toBe(0);
    for (const action of ["'tcp,udp'", "80,443", "['add', 'mcp-edge', 'auto']", "['add', 'sshd', 'systemd']"])
      expect(output.replaceAll('"', "'")).toContain(action);
  });

  test("fail2ban counts only refused credentials, and an IPv6 address as its network", async () => {
    const line = (address: string, credential: string) =>
      `{"time":"2026-11-21T12:27:41+00:00","address":"${address}","credential":"${credential}"}`;
    const log = [
      line("192.0.2.1", "0123456789ab"),
      line("2001:db8:0:1:2::1/64", "0123456789ab"),
      line("192.0.2.2", ""),
      line("192.0.2.3", String.raw`\"\"}`),
      `{"time":"2026-11-21T12:27:41+00:00","address":"192.0.2.4","status":401,"method":"POST","path":"/mcp"}`,
    ];
    root.write("/refused.log", `${log.join("\n")}\n`);
    const { code, output } = await root.sh(
      "fail2ban-regex --out ip /refused.log /etc/fail2ban/filter.d/mcp-edge-credentials.conf",
    );
    expect([code, output.trim().split("\n")]).toEqual([0, ["192.0.2.1", "2001:db8:0:1::/64"]]);
  });

  test("certbot uses the folder on the data volume from cli.ini", async () => {
    const { code, output } = await root.sh("certbot certificates");
    expect([code, output]).toEqual([0, expect.stringContaining("No certificates found")]);
    expect(readdirSync(join(root.folder, "upper/srv/mcp-edge/letsencrypt"))).toContain("renewal-hooks");
  });

  test("sshd, journald, sysctl and apt accept their files", async () => {
    expect(await root.sh("ssh-keygen -A >/dev/null && mkdir -p /run/sshd && sshd -t")).toEqual(fine);
    expect((await root.sh("apt-config dump Dpkg::Options")).output).toContain("--force-confold");
    expect((await root.sh("systemd-analyze cat-config systemd/journald.conf")).output).toContain(
      "SystemMaxUse=200M",
    );
  });

  /** The files that the table gives to a check, as in `cloud-init/`, with the comments that direct the check. */
  const written = (validator: Validator) =>
    FILES.filter((row) => row.validator === validator).map(({ path, source }) => {
      const place = join("/lint", path);
      root.write(place, renderTemplate(String(source), AWS_SETTINGS));
      return place;
    });

  test("every shell script passes shellcheck, and Python compiles every Python script", async () => {
    const scripts = written("bash");
    expect(scripts.length).toBeGreaterThan(20);
    expect(await root.sh(`shellcheck ${scripts.join(" ")}`)).toEqual(fine);
    const programs = written("python");
    expect(programs.length).toBeGreaterThan(5);
    const compile =
      "import pathlib, sys\nfor file in sys.argv[1:]: compile(pathlib.Path(file).read_text(), file, 'exec')";
    expect(await root.sh(`python3 -W error -IBc "${compile}" ${programs.join(" ")}`)).toEqual(fine);
  });

  test("every script has a check", () => {
    const unchecked = files
      .filter(({ path, content }) => /\.(sh|py)$/.test(path) || content.startsWith("#!"))
      .map(({ path }) => FILES.find((row) => row.path === path))
      .filter((row) => !["bash", "python", "nft"].includes(row?.validator ?? "none"));
    expect(unchecked).toEqual([]);
  });
}

const UNITS = FILES.filter(
  ({ validator, role }) => validator === "systemd" && role !== "forwarder" && role !== "caddy",
)
  .map(({ path }) => path.slice("/etc/systemd/system/".length))
  .filter((name) => !name.includes("/"));
