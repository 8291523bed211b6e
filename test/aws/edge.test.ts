import { existsSync } from "node:fs";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { connect as tlsConnect } from "node:tls";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { run } from "../../infra/exec.ts";
import { accountOf } from "../aws-double/account.ts";
import { forgetSnapshots, runLifecyclePolicies } from "../aws-double/services/dlm.ts";
import { Store } from "../aws-double/store.ts";
import { AwsCheckout, DOMAIN, settings } from "./support.ts";

/**
 * One environment from `pulumi up` to `pulumi destroy` with the real engine, the real commands and a machine that boots the
 * program's own user-data, behind a firewall of its security groups. The tests run in order, since each needs the previous one.
 */
const stack = "dev";
const SECRET = "do-not-show-0815";
let aws: AwsCheckout;
let token = "";
let ownersLink = "";

interface Outputs {
  ipv4: string;
  ipv6: string;
  release: string;
  bucket: string;
  machines: { instance: string }[];
}
const outputs = async () => (await aws.outputs(stack)) as unknown as Outputs;
const instance = async () => (await outputs()).machines[0]?.instance ?? "";
const on = async (...command: string[]) => aws.inInstance(await instance(), ...command);
const store = () => new Store(aws.home);

beforeAll(async () => {
  aws = await AwsCheckout.create({ cloud: true });
  await aws.stack(
    stack,
    settings({
      ...{ hostedZone: "create", alarms: "full", logs: "cloudwatch", backups: "3" },
      tokenDomain: `token.${DOMAIN}`,
    }),
    { "mcp-edge:secrets.API_KEY": SECRET },
  );
}, 600_000);

afterAll(() => aws?.remove(), 600_000);

/** Whether a TCP connection opens: within two seconds, or within a minute where it is expected to. */
const reaches = (host: string, port: number, expected: boolean) =>
  new Promise<boolean>((done) => {
    const socket = connect({ host, port, timeout: expected ? 60_000 : 2_000 });
    const end = (answer: boolean) => {
      socket.destroy();
      done(answer);
    };
    socket.once("connect", () => end(true));
    socket.once("timeout", () => end(false));
    socket.once("error", () => end(false));
  });

/** The certificate that is served, verified against the ACME server's roots. */
async function certificate(): Promise<{ serial: string; issuer: string }> {
  const ca = await readFile(aws.cloud?.rootsFile ?? "", "utf8");
  return new Promise((done, fail) => {
    const socket = tlsConnect({ host: DOMAIN, port: 443, servername: DOMAIN, ca }, () => {
      const { serialNumber, issuer } = socket.getPeerCertificate();
      socket.destroy();
      done({ serial: serialNumber, issuer: String(issuer.CN) });
    });
    socket.once("error", fail);
  });
}

const server = (...args: string[]) => on("/usr/local/sbin/mcp-edge-server", ...args);

interface Report {
  as?: string;
  checks: { id: string; ok: boolean; got: string }[];
}

/** The reports of `doctor` about the stack, as an operator gets them. */
async function doctor(...args: string[]): Promise<Report[]> {
  const ca = ["--ca", aws.cloud?.rootsFile ?? ""];
  const { stdout, stderr } = await aws
    .as({ MCP_EDGE_TOKEN: token })
    .cli("doctor", "--stack", stack, ...ca, ...args, "--json");
  if (!stdout) throw new Error(stderr);
  return [JSON.parse(stdout)].flat();
}

/** One call over MCP as a client of 2025. @returns the response's text, headers before body */
async function call(method: string, params: object, session?: string): Promise<string> {
  const { stdout } = await run("curl", [
    ...["-sSi", "--max-time", "60", "--cacert", aws.cloud?.rootsFile ?? "", `https://${DOMAIN}/mcp`],
    ...["-H", `authorization: Bearer ${token}`, "-H", "content-type: application/json"],
    ...["-H", "accept: application/json, text/event-stream"],
    ...(session === undefined ? [] : ["-H", `mcp-session-id: ${session}`]),
    ...["-d", JSON.stringify({ jsonrpc: "2.0", id: 1, method, params })],
  ]);
  return stdout;
}

const initialize = () =>
  call("initialize", {
    protocolVersion: "2025-11-25",
    capabilities: {},
    clientInfo: { name: "t", version: "1" },
  });

const servedVersion = async () => /"version":"([^"]+)"/.exec(await initialize())?.[1];

const digests = async (...files: string[]) => (await on("sha256sum", ...files)).stdout;

describe("up", () => {
  test("creates the environment, prints the machine's steps, and ends when the machine serves", async () => {
    const { code, stdout, stderr } = await aws.cli("up", "--stack", stack, "--yes");
    const all = stdout + stderr;
    if (code !== 0) throw new Error(all);
    expect(all).toMatch(/setup: .* finished/);
    expect(all).not.toContain(SECRET);
    expect((await certificate()).issuer).toContain("Pebble");
    [, ownersLink = ""] = /^Owner: (https:\/\/\S+)$/m.exec(stdout) ?? [];
  }, 600_000);

  test("prints the owner's link, which leads to the choice of how to sign in and is in neither the log nor the state", async () => {
    const { stdout } = await run("curl", ["-sSL", "--cacert", aws.cloud?.rootsFile ?? "", ownersLink]);
    expect(stdout).toContain("passkey");
    const secret = new URL(ownersLink).searchParams.get("link") ?? "";
    expect(secret.length).toBeGreaterThan(20);
    const state = await aws.pulumi("stack", "export", "--stack", stack);
    expect(state.stdout).not.toContain(secret);
    expect((await on("grep", "-rl", secret, "/var/log", "/etc")).stdout).toBe("");
    const people = await aws.cli("user", "list", "--stack", stack, "--json");
    expect(JSON.parse(people.stdout)).toMatchObject([{ login: "owner", scopes: ["code:read", "ops"] }]);
  }, 600_000);

  test("ends with all checks of doctor passed from outside, through the firewall", async () => {
    const created = await server("token", "create", "--name", "test", "--json");
    token = JSON.parse(created.stdout).token;
    const [report] = await doctor();
    expect(report?.checks.map(({ id }) => id)).toContain("token-domain");
    expect(report?.checks.filter(({ ok }) => !ok)).toEqual([]);
  }, 600_000);

  test("lets clients of three kinds sign in and call a tool, through the firewall", async () => {
    const reports = await doctor("--as", "claude.ai,chatgpt,cursor");
    expect(reports.map(({ as }) => as)).toEqual(["claude.ai", "chatgpt", "cursor"]);
    for (const { checks } of reports) {
      expect(checks.filter(({ ok }) => !ok)).toEqual([]);
      expect(checks.map(({ id }) => id)).toContain("tools");
    }
  }, 600_000);

  test("ends with cloud-init done, no failed unit, and the data on the volume", async () => {
    const status = await on("cloud-init", "status", "--format", "json");
    expect(JSON.parse(status.stdout)).toMatchObject({ extended_status: "done", errors: [] });
    expect((await on("systemctl", "--failed", "--no-legend", "--plain")).stdout.trim()).toBe("");
    expect((await on("findmnt", "-n", "-o", "SOURCE,FSTYPE", "/srv/mcp-edge")).stdout).toMatch(/nvme.*ext4/);
  }, 600_000);

  test("creates security groups that block sshd, although it listens", async () => {
    const { ipv4, ipv6 } = await outputs();
    expect((await on("ss", "-Hltn", "sport", "=", ":22")).stdout).toContain(":22");
    const [found] = store().all("aws:ec2/instance:Instance");
    const asked: [string, number, boolean][] = [ipv4, ipv6].flatMap(
      (address): [string, number, boolean][] => [
        [address, 443, true],
        [address, 22, false],
        [address, 8080, false],
      ],
    );
    asked.push([String(found?.outs.privateIp), 443, false]);
    const got = await Promise.all(
      asked.map(async ([address, port, open]) => [address, port, await reaches(address, port, open)]),
    );
    expect(got).toEqual(asked);
    // Outgoing packets without a rule are dropped too, so the connection is not even refused.
    const out = `timeout 2 bash -c '</dev/tcp/${aws.cloud?.net4}.1/9999'`;
    expect((await on("sh", "-c", out)).code).toBe(124);
  }, 600_000);

  test("gives a secret to root alone on the machine, and puts it neither in user-data nor in the state", async () => {
    const secrets = await on("stat", "-c", "%a %U", "/etc/mcp-edge/secrets.env");
    expect(secrets.stdout.trim()).toBe("600 root");
    expect((await on("cat", "/etc/mcp-edge/secrets.env")).stdout).toContain(`API_KEY="${SECRET}"`);
    const userData = await on(
      "sh",
      "-c",
      "zcat /var/lib/cloud/instance/user-data.txt* 2>/dev/null || cat /var/lib/cloud/instance/user-data.txt",
    );
    expect(userData.stdout).toContain("#cloud-config");
    expect(userData.stdout).not.toContain(SECRET);
    const state = await aws.pulumi("stack", "export", "--stack", stack);
    expect(state.stdout).toContain("mcp-edge:aws:Edge");
    expect(state.stdout).not.toContain(SECRET);
  }, 600_000);

  test("creates a role with only the required permissions", async () => {
    const { bucket } = await outputs();
    const ask = (key: string) =>
      on(
        "bash",
        "-c",
        `. /usr/local/lib/mcp-edge/aws.sh; aws_curl s3 -o /dev/null -w '%{http_code}' "$AWS_ENDPOINT_URL/${bucket}/${key}"`,
      );
    expect((await ask("desired.json")).stdout).toBe("200");
    expect((await ask("status/of-another.json")).stdout).toBe("403");
    const without = await run("curl", [
      "-s",
      "-o",
      "/dev/null",
      "-w",
      "%{http_code}",
      `${aws.env.AWS_ENDPOINT_URL}/${bucket}/desired.json`,
    ]);
    expect(without.stdout).toBe("403");
  }, 600_000);
});

describe("a second up", () => {
  test("finds no changes", async () => {
    const again = await aws.up(stack, "--expect-no-changes");
    expect(again.all).toMatch(/\d+ unchanged/);
    expect(again.code).toBe(0);
  }, 600_000);
});

describe("drift", () => {
  test("of an added rule and of a deleted machine is shown by preview --refresh", async () => {
    const token = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule";
    const rule = store()
      .all(token)
      .find(({ inputs }) => inputs.ipProtocol === "tcp" && inputs.fromPort === 80 && inputs.cidrIpv4);
    store().drift(token, rule?.id ?? "", { fromPort: 22, toPort: 80 });
    const machine = store().get("aws:ec2/instance:Instance", await instance());
    store().remove("aws:ec2/instance:Instance", machine?.id ?? "");
    const shown = await aws.pulumi("preview", "--stack", stack, "--refresh", "--expect-no-changes");
    if (machine) store().put(machine);
    expect(shown.code).not.toBe(0);
    expect(shown.all).toMatch(/mcp-edge-dev-ingress-tcp-80-ipv4\s+update/);
    expect(shown.all).toMatch(/mcp-edge-dev-machine\s+create/);
    const repaired = await aws.up(stack, "--refresh");
    expect(repaired.code).toBe(0);
    expect(store().get(token, rule?.id ?? "")?.inputs).toMatchObject({ fromPort: 80, toPort: 80 });
  }, 600_000);
});

describe("a release", () => {
  test("is pulled by the machine and switched to in place", async () => {
    const before = await outputs();
    await aws.checkout.edit("server/version.ts", '"0.1.0"', '"0.1.0-next"');
    const { code, all } = await aws.up(stack);
    if (code !== 0) throw new Error(all);
    const after = await outputs();
    expect(after.release).not.toBe(before.release);
    expect(after.machines).toEqual(before.machines);
    expect(all).toMatch(/deploy: .*switch to (blue|green)/);
    expect(await servedVersion()).toBe("0.1.0-next");
  }, 600_000);

  test("is left for the previous one by rollback, and returned to by its hash", async () => {
    const { release } = await outputs();
    const roll = async (...args: string[]) => {
      const { code, stdout, stderr } = await aws.cli("rollback", ...args, "--stack", stack, "--yes");
      expect({ code, stderr: code === 0 ? "" : stderr }).toEqual({ code: 0, stderr: "" });
      return stdout;
    };
    await roll();
    expect(await servedVersion()).toBe("0.1.0");
    const { stdout } = await aws.cli("releases", "--stack", stack, "--json");
    expect(JSON.parse(stdout)).toMatchObject([{ state: "active" }, { release, state: "previous" }]);
    await roll(release.slice(0, 8));
    expect(await servedVersion()).toBe("0.1.0-next");
  }, 600_000);

  test("that does not become ready fails up with its log, and the previous one still serves", async () => {
    const main = join(aws.checkout.folder, "server/main.ts");
    const good = await readFile(main, "utf8");
    await writeFile(main, `throw new Error("this release is broken on purpose");\n${good}`);
    const { code, all } = await aws.up(stack);
    await writeFile(main, good);
    expect(code).not.toBe(0);
    expect(all).toContain("this release is broken on purpose");
    expect(await servedVersion()).toBe("0.1.0-next");
  }, 600_000);
});

describe("a replacement of the machine", () => {
  const kept = ["/srv/mcp-edge/tls/quic_host.key", "/srv/mcp-edge/tls/live/fullchain.pem"];

  test("after a failed release runs the previous one, with its addresses, certificate, keys, tokens and sessions", async () => {
    const before = await outputs();
    const serial = (await certificate()).serial;
    const files = await digests(...kept);
    const session = /^mcp-session-id: (\S+)/im.exec(await initialize())?.[1] ?? "";
    expect(session).not.toBe("");
    const replaced = await aws.cli("replace", "1", "--stack", stack);
    if (replaced.code !== 0) throw new Error(replaced.stderr);
    const after = await outputs();
    expect(after.machines[0]?.instance).not.toBe(before.machines[0]?.instance);
    expect([after.ipv4, after.ipv6]).toEqual([before.ipv4, before.ipv6]);
    expect((await certificate()).serial).toBe(serial);
    expect(await digests(...kept)).toBe(files);
    expect(await servedVersion()).toBe("0.1.0-next");
    const tools = await call("tools/list", {}, session);
    expect(tools).toMatch(/^HTTP\/2 200/);
    expect(tools).toContain('"search_text"');
    expect((await aws.pulumi("stack", "export", "--stack", stack)).stdout).not.toContain(SECRET);
    const settled = await aws.pulumi("preview", "--stack", stack, "--refresh", "--expect-no-changes");
    expect(settled.code).toBe(0);
  }, 600_000);

  test("happens once, and not again for a new boot script", async () => {
    const pull = join(aws.checkout.folder, "cloud-init/deploy/mcp-edge-pull");
    const good = await readFile(pull, "utf8");
    // Not a comment, which would be removed from the machine's files.
    await writeFile(pull, `${good}true\n`);
    const edited = await aws.pulumi("preview", "--stack", stack);
    await writeFile(pull, good);
    expect(edited.all).toContain("mcp-edge-dev-desired");
    expect(edited.all).not.toMatch(/replace/);
    expect((await aws.pulumi("preview", "--stack", stack, "--expect-no-changes")).code).toBe(0);
  }, 600_000);
});

describe("a nightly snapshot", () => {
  test("restores the data volume once, with another machine at the same addresses", async () => {
    const marker = "/srv/mcp-edge/workspace/marker";
    await on("sh", "-c", `echo before >${marker}; sync`);
    const account = accountOf(aws.env as NodeJS.ProcessEnv);
    const [snapshot = ""] = await runLifecyclePolicies(account);
    await on("sh", "-c", `echo after >${marker}`);
    const before = await outputs();
    const { serial } = await certificate();
    await aws.must("config", "set", "--stack", stack, "mcp-edge:snapshotId", snapshot);
    const { code, all } = await aws.up(stack);
    if (code !== 0) throw new Error(all);
    expect((await on("cat", marker)).stdout.trim()).toBe("before");
    const after = await outputs();
    expect(after.machines[0]?.instance).not.toBe(before.machines[0]?.instance);
    expect([after.ipv4, after.ipv6, (await certificate()).serial]).toEqual([
      before.ipv4,
      before.ipv6,
      serial,
    ]);
    await aws.must("config", "rm", "--stack", stack, "mcp-edge:snapshotId");
    expect((await aws.pulumi("preview", "--stack", stack, "--expect-no-changes")).code).toBe(0);
    await forgetSnapshots(account);
  }, 600_000);
});

describe("destroy", () => {
  test("leaves nothing in the account or on this host", async () => {
    const { code, all } = await aws.pulumi("destroy", "--stack", stack, "--yes", "--suppress-progress");
    if (code !== 0) throw new Error(all);
    expect(await readdir(join(aws.home, "resources"))).toEqual([]);
    expect(await readdir(join(aws.home, "volumes"))).toEqual([]);
    expect((await readdir(join(aws.home, "host/stacks"))).filter((name) => name.startsWith("i-"))).toEqual(
      [],
    );
    expect((await run("losetup", ["-a"])).stdout).not.toContain(aws.home);
    expect(await readFile("/etc/hosts", "utf8")).not.toContain(DOMAIN);
    const { bridge = "" } = aws.cloud ?? {};
    await aws.stopCloud();
    expect(existsSync(`/sys/class/net/${bridge}`)).toBe(false);
    expect((await run("nft", ["list", "tables"])).stdout).not.toContain(bridge);
  }, 600_000);
});
