import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { awsUserData } from "../../cloud-init/aws-user-data.ts";
import { filesArchive } from "../../cloud-init/files-archive.ts";
import { filesHash, type MachineFile, machineFiles } from "../../cloud-init/machine-files.ts";
import { renderFile } from "../../cloud-init/render.ts";
import type { Status } from "../../infra/aws/convergence.ts";
import { desired, desiredText } from "../../infra/aws/desired.ts";
import { DebianRoot, whyNot } from "./debian-root.ts";
import { AROUND, AWS_SETTINGS } from "./fixture.ts";

const DEPLOY = `#!/bin/bash
# Plays mcp-edge-deploy: keeps what runs; the release of nines fails.
mkdir -p /var/lib/fake
echo "deploy $*" >>/var/lib/fake/calls
case $1 in
status) printf '{"release":"%s","files":"%s"}\\n' "$(cat /var/lib/fake/release 2>/dev/null)" "$(cat /var/lib/fake/files 2>/dev/null)" ;;
release | both | restart)
  case $1 in both) release=$3 files=$2 ;; release) release=$2 ;; restart) release=$(cat /var/lib/fake/release) ;; esac
  echo "mcp-edge-deploy: step start blue with \${release:0:12}"
  if [[ $release = 9* || $(cat /etc/mcp-edge/secrets.env 2>/dev/null) = *unfit-4321* ]]; then echo "mcp-edge-deploy: release was not ready within 30 s" >&2; exit 1; fi
  echo "$release" >/var/lib/fake/release
  cp /etc/mcp-edge/secrets.env /var/lib/fake/secrets
  [ -z "\${files:-}" ] || echo "$files" >/var/lib/fake/files
  ;;
esac
`;

const SETUP = `#!/bin/bash
echo "mcp-edge-setup:   0.1s packages"
if [ -e /fake/setup-fails ]; then echo "mcp-edge-setup: FAILED at: packages" >&2; exit 1; fi
mcp-edge-deploy release "$(cat /etc/mcp-edge/release)"
touch /var/lib/mcp-edge/setup.done
`;

/**
 * mcp-edge-pull and the scripts for AWS in Debian 13 with its own curl, against a fake AWS that checks each signature. What they call
 * (mcp-edge-setup, mcp-edge-deploy, systemd) is replaced by fakes, since it has tests of its own.
 */
const reason = whyNot();

if (reason !== undefined) {
  test(`the AWS scripts cannot run here: ${reason}`, () => {
    expect(process.env.CI).not.toBe("true");
  });
} else {
  describe("a machine on AWS", pull);
}

function pull() {
  let root: DebianRoot;
  const stand = (path: string, content: string): MachineFile => ({ path, content, mode: "0755" });
  const files = [
    ...machineFiles(AWS_SETTINGS).filter(({ path }) => !/\/mcp-edge-(data|deploy|setup)$/.test(path)),
    stand("/usr/local/sbin/mcp-edge-data", "#!/bin/sh\necho 'mcp-edge-data: vol-1 is there'\n"),
    stand("/usr/local/sbin/mcp-edge-deploy", DEPLOY),
    stand("/usr/local/sbin/mcp-edge-setup", SETUP),
  ];
  const hash = filesHash(files);
  // Contents whose hashes are the names of the releases. The fake mcp-edge-deploy fails for the one that begins with 9.
  const archive = (first: string) => {
    for (let number = 0; ; number++) {
      const content = `release ${number}`;
      const sha = createHash("sha256").update(content).digest("hex");
      if (sha.startsWith(first)) return { sha, content };
    }
  };
  const archives = [archive("5"), archive("6"), archive("9")] as const;
  const [release, other, broken] = archives.map(({ sha }) => sha) as [string, string, string];
  const status = (): Status => JSON.parse(read(`/fake/s3/${AROUND.bucket}/status/i-0123456789abcdef0.json`));
  const read = (path: string) => readFileSync(join(root.folder, "upper", path), "utf8");
  const texts = () => status().steps.map(({ text }) => text);
  const object = (key: string, content: string | Buffer) =>
    root.write(`/fake/s3/${AROUND.bucket}/${key}`, content);
  const want = (wanted: string, secrets = "") =>
    object("desired.json", desiredText(desired({ release: wanted, files: hash, workspace: "" }, secrets)));
  const parameters = (...pairs: [string, string][]) =>
    root.write(
      "/fake/AmazonSSM.GetParametersByPath.json",
      JSON.stringify({
        Parameters: pairs.map(([name, Value]) => ({ Name: `/mcp-edge/prod/env/${name}`, Value })),
        NextToken: "more",
      }),
    );
  /** With the fake AWS on the loopback of the command's own network. */
  const sh = (script: string) =>
    root.sh(
      `ip link set lo up; python3 /fake-aws.py & until curl -s -o /dev/null http://127.0.0.1:8000/latest/x; do sleep 0.05; done\n${script}`,
    );
  const calls = () => read("/var/lib/fake/calls").trim().split("\n");
  const deployments = () => calls().filter((call) => call.startsWith("deploy") && !call.includes("status"));

  beforeAll(async () => {
    root = await DebianRoot.create([]);
    const document = JSON.parse(awsUserData(AROUND).slice("#cloud-config\n".length)) as {
      write_files: { path: string; content: string; permissions: string }[];
    };
    for (const { path, content, permissions } of document.write_files) {
      const here = content.replace("'http://169.254.169.254'", "'http://127.0.0.1:8000'");
      root.write(path, here, Number.parseInt(permissions, 8));
    }
    root.write("/fake-aws.py", readFileSync(join(import.meta.dirname, "fake-aws.py")));
    root.write(
      "/usr/bin/systemctl",
      '#!/bin/sh\nmkdir -p /var/lib/fake\ncase $* in *--state=failed*) cat /fake/failed 2>/dev/null; exit 0 ;; *mcp-edge-pull-change*) cat /fake/beside 2>/dev/null; exit 0 ;; esac\necho systemctl "$@" >>/var/lib/fake/calls\n',
      0o755,
    );
    root.write(
      "/usr/bin/systemd-run",
      '#!/bin/bash\nwhile [[ $1 = --* ]]; do shift; done\nexec "$@"\n',
      0o755,
    );
    root.write("/usr/bin/cloud-init", "#!/bin/sh\ncat /fake/cloud-init 2>/dev/null\n", 0o755);
    root.write("/fake/cloud-init", '{\n "status": "running",\n "extended_status": "running"\n}\n');
    const [data] = files.filter(({ path }) => path.endsWith("/mcp-edge-data"));
    root.write("/usr/local/sbin/mcp-edge-data", data?.content ?? "", 0o755);
    root.write("/data-script", renderFile("deploy/mcp-edge-data", {}), 0o755);
    root.write(
      "/fake/AmazonSSM.GetParametersByPath.next.json",
      '{"Parameters":[{"Name":"/mcp-edge/prod/env/LAST","Value":"1"}]}',
    );
    object(`files/files-${hash}.tar`, await filesArchive(files));
    for (const { sha, content } of archives) object(`releases/${sha}.tar.zst`, content);
    parameters(["API_KEY", 'a"b\\c$d`e']);
  }, 600_000);
  afterAll(() => root?.remove());

  test("the first boot mounts the volume, pulls the files by their hash, sets up, and reports while cloud-init still runs", async () => {
    want(release);
    root.write("/fake/setup-fails", "");
    // A new machine finds the certificate of the previous machine on the data volume, and has none of its own files yet.
    const issue =
      "cd /tmp && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=ca -keyout k -out ca && " +
      "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=x -CA ca -CAkey k -keyout /dev/null -out c";
    const live = "/srv/mcp-edge/tls/live";
    await root.sh(
      `mkdir -p ${live}; (${issue}) 2>/dev/null; mv /tmp/c ${live}/fullchain.pem; rm -f /etc/mcp-edge/edge.env`,
    );
    const failed = await sh("mcp-edge-pull boot");
    expect([failed.code, failed.output]).toEqual([1, expect.stringContaining("FAILED at: packages")]);
    expect(status()).toMatchObject({ phase: "failed", ok: false, release: "", cloudInit: "running" });
    expect(status().log).toContain("FAILED at: packages");
    await root.sh("rm -r /srv/mcp-edge/tls /fake/setup-fails /var/lib/mcp-edge/pull/etag");
    const { code, output } = await sh("mcp-edge-pull boot");
    expect([code, output]).toEqual([0, expect.stringContaining(`done: release ${release.slice(0, 12)}`)]);
    expect(status()).toMatchObject({ instance: "i-0123456789abcdef0", phase: "done", ok: true, release });
    expect(texts()).toEqual([
      expect.stringMatching(/^generation [0-9a-f]{16}$/),
      "data: vol-1 is there",
      "setup:   0.1s packages",
      `deploy: step start blue with ${release.slice(0, 12)}`,
      `done: release ${release.slice(0, 12)}, files ${hash.slice(0, 12)}`,
    ]);
    for (const file of files) {
      expect([file.path, read(file.path)]).toEqual([file.path, file.content]);
    }
    expect(calls()).toContain("systemctl -q enable --now mcp-edge-pull.timer");
  });

  test("without a new deployment, mcp-edge-pull makes one request; after cloud-init, it reports the result", async () => {
    const before = read("/fake/puts");
    expect(await sh("mcp-edge-pull")).toEqual({ code: 0, output: "" });
    expect(read("/fake/puts")).toBe(before);
    root.write("/fake/cloud-init", '{\n "status": "done",\n "extended_status": "degraded done"\n}\n');
    await sh("mcp-edge-pull; mcp-edge-pull");
    expect(status()).toMatchObject({ phase: "done", cloudInit: "degraded done" });
    expect(read("/fake/puts").split("\n")).toHaveLength(before.split("\n").length + 1);
  });

  test("the status reports every change of the certificate, the certificate's problem, updates and failed units", async () => {
    expect(status()).toMatchObject({ certificate: "none", certificateProblem: "" });
    const changes = async (script: string) => {
      await sh(`${script}; mcp-edge-pull`);
      const { certificate, certificateProblem } = status();
      return [certificate, certificateProblem];
    };
    const lineage = `/srv/mcp-edge/letsencrypt/live/${AWS_SETTINGS.domain}`;
    const issuer = (server: string) =>
      `mkdir -p /srv/mcp-edge/letsencrypt/renewal; echo 'server = ${server}' >/srv/mcp-edge/letsencrypt/renewal/${AWS_SETTINGS.domain}.conf`;
    await root.sh("systemd-sysusers; systemd-tmpfiles --create mcp-edge.conf");
    expect(
      await changes(
        "mcp-edge-cert bootstrap; mkdir -p /run/mcp-edge-cert; printf 'no A record \\377' >/run/mcp-edge-cert/problem",
      ),
    ).toEqual(["self-signed", "no A record \ufffd"]);
    const ca =
      "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=ca -keyout /tmp/ca.key -out /tmp/ca.pem; " +
      `mkdir -p ${lineage}; openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=x -CA /tmp/ca.pem -CAkey /tmp/ca.key ` +
      `-addext subjectAltName=DNS:${AWS_SETTINGS.domain} -keyout ${lineage}/privkey.pem -out ${lineage}/fullchain.pem; mcp-edge-cert install ${lineage}`;
    expect(await changes(`{ ${ca}; } 2>/dev/null; ${issuer(AWS_SETTINGS.acmeServer)}`)).toEqual([
      "issued",
      "",
    ]);
    expect(await changes(issuer("https://other.example.com/dir"))).toEqual(["outdated", ""]);
    const waiting =
      "mkdir -p /run/mcp-edge-patches; echo 3 >/run/mcp-edge-patches/updates; echo kernel >/run/mcp-edge-patches/reboot; printf 'a.service\\nb.service\\n' >/fake/failed";
    await changes(waiting);
    expect(status()).toMatchObject({ updates: 3, reboot: "kernel", failedUnits: ["a.service", "b.service"] });
    const puts = read("/fake/puts");
    await sh(`${waiting}; mcp-edge-pull`);
    expect(read("/fake/puts")).toBe(puts);
    await changes("rm /fake/failed");
    expect(status()).toMatchObject({ updates: 0, reboot: "", failedUnits: [] });
    await root.sh("rm -rf /srv/mcp-edge/letsencrypt /srv/mcp-edge/tls");
  });

  test("secrets of all pages become an environment file for root alone, which systemd and a shell read alike", async () => {
    expect(read("/etc/mcp-edge/secrets.env")).toBe('API_KEY="a\\"b\\\\c\\$d\\`e"\nLAST="1"\n');
    const { output } = await root.sh(
      '. /etc/mcp-edge/secrets.env; echo "$API_KEY $LAST"; stat -c %a /etc/mcp-edge/secrets.env',
    );
    expect(output.trim()).toBe('a"b\\c$d`e 1\n600');
  });

  test("a new deployment is one call of mcp-edge-deploy for files and release, and no longer reports cloud-init", async () => {
    want(other);
    await root.sh("rm /var/lib/fake/calls");
    expect((await sh("mcp-edge-pull")).code).toBe(0);
    expect(deployments()).toEqual([`deploy both ${hash} ${other}`]);
    expect(status()).toMatchObject({ phase: "done", release: other, cloudInit: "" });
  });

  test("a changed secret restarts the same release", async () => {
    parameters(["API_KEY", "new"]);
    want(other, "API_KEY=2");
    await root.sh("rm /var/lib/fake/calls");
    expect((await sh("mcp-edge-pull")).code).toBe(0);
    expect(deployments()).toEqual([`deploy both ${hash} ${other} --restart`]);
    expect(read("/etc/mcp-edge/secrets.env")).toContain('API_KEY="new"');
  });

  test("a private workspace's credentials are in a file for root alone, and not in the server's environment", async () => {
    const credentials = '[http "https://git.example.com/"]\n\textraHeader = "Authorization: Basic eA=="\n';
    parameters(["API_KEY", "new"], ["WORKSPACE_CREDENTIALS", credentials]);
    want(other, "WORKSPACE_CREDENTIALS=1");
    await root.sh("rm /var/lib/fake/calls");
    expect((await sh("mcp-edge-pull")).code).toBe(0);
    expect(read("/etc/mcp-edge/workspace-credentials")).toBe(credentials);
    expect((await root.sh("stat -c '%a %U %G' /etc/mcp-edge/workspace-credentials")).output).toBe(
      "600 root root",
    );
    expect(read("/etc/mcp-edge/secrets.env")).not.toMatch(/WORKSPACE|Authorization/);
    // No restart, since the server does not use the credentials.
    expect(deployments()).toEqual([`deploy both ${hash} ${other}`]);
    expect(read("/var/lib/fake/calls")).toContain("workspace");
    parameters(["API_KEY", "new"]);
    want(other, "API_KEY=3");
    expect((await sh("mcp-edge-pull")).code).toBe(0);
    expect((await root.sh("ls /etc/mcp-edge/workspace-credentials*")).code).not.toBe(0);
  });

  test("client secrets of identity providers are in a file for root alone, and a changed one restarts the server", async () => {
    const file = "/etc/mcp-edge/identity-provider-secrets";
    const pulled = async (secret: string | undefined, versions: string) => {
      const of = secret === undefined ? [] : [["IDENTITY_PROVIDER_SECRETS", secret] as [string, string]];
      parameters(["API_KEY", "new"], ...of);
      want(other, versions);
      await root.sh("rm /var/lib/fake/calls");
      expect((await sh("mcp-edge-pull")).code).toBe(0);
    };
    await pulled("google=first-4711\n", "IDENTITY_PROVIDER_SECRETS=1");
    expect(read(file)).toBe("google=first-4711\n");
    expect((await root.sh(`stat -c '%a %U %G' ${file}`)).output).toBe("600 root root");
    expect(read("/etc/mcp-edge/secrets.env")).not.toContain("first-4711");
    await pulled("google=second-4711\n", "IDENTITY_PROVIDER_SECRETS=2");
    expect(deployments()).toEqual([`deploy both ${hash} ${other} --restart`]);
    expect((await root.sh("grep -rl first-4711 /etc /var/lib/mcp-edge")).output).toBe("");
    // The unit of these files names the file, so that it could not start again without it.
    await pulled(undefined, "API_KEY=4");
    expect(read(file)).toBe("google=second-4711\n");
    await root.sh("rm /etc/systemd/system/mcp-edge@.service.d/identity-providers.conf");
    await pulled(undefined, "API_KEY=5");
    expect((await root.sh(`ls ${file}`)).code).not.toBe(0);
  });

  describe("a secret that was revoked", () => {
    /** The files on the machine's disk that contain the secret. /fake is AWS; /var/lib/fake/secrets has what the server last started with. */
    const traces = async (secret: string) =>
      (
        await root.sh(
          `grep -rlF ${secret} /etc /var /srv /opt /run /tmp /usr/local 2>/dev/null | grep -v /var/lib/fake/`,
        )
      ).output;
    const runsWith = () => read("/var/lib/fake/secrets");
    const rotate = async (to: string, wanted: string, version: string) => {
      parameters(["API_KEY", to]);
      want(wanted, `API_KEY=${version}`);
      return sh("mcp-edge-pull");
    };

    test("does not come back with a later broken release of the same versions", async () => {
      expect((await rotate("REVOKED1", other, "3")).code).toBe(0);
      expect((await rotate("fresh1", other, "4")).code).toBe(0);
      want(broken, "API_KEY=4");
      expect((await sh("mcp-edge-pull")).code).toBe(1);
      expect(read("/etc/mcp-edge/secrets.env")).toContain('"fresh1"');
      expect(await traces("REVOKED1")).toBe("");
    });

    test("does not come back with a broken release in the same deployment: the previous release gets the new secret", async () => {
      expect((await rotate("REVOKED2", other, "5")).code).toBe(0);
      await root.sh("rm /var/lib/fake/calls");
      expect((await rotate("fresh2", broken, "6")).code).toBe(1);
      expect(deployments()).toEqual([`deploy both ${hash} ${broken} --restart`, "deploy restart"]);
      expect([runsWith(), status().release]).toEqual([expect.stringContaining("fresh2"), other]);
      expect(await traces("REVOKED2")).toBe("");
    });

    test("does not come back when no release starts with the new secret; the next deployment restarts the server", async () => {
      expect((await rotate("REVOKED3", other, "7")).code).toBe(0);
      expect((await rotate("unfit-4321", other, "8")).code).toBe(1);
      expect([read("/etc/mcp-edge/secrets.env"), runsWith()]).toEqual([
        expect.stringContaining("unfit-4321"),
        expect.stringContaining("REVOKED3"),
      ]);
      expect(await traces("REVOKED3")).toBe("");
      await root.sh("rm /var/lib/fake/calls");
      expect((await rotate("fresh3", other, "9")).code).toBe(0);
      expect(runsWith()).toContain("fresh3");
    });

    test.each(["before", "after"])(
      "is not used again when the machine crashes right %s the replacement of the file",
      async (moment) => {
        expect((await rotate("REVOKED4", other, "10")).code).toBe(0);
        parameters(["API_KEY", "fresh4"]);
        want(other, "API_KEY=11");
        const line =
          '  : >"$WORK/restart" && sync "$SECRETS.new" "$WORK/restart" && mv -f "$SECRETS.new" "$SECRETS"';
        const script = "/usr/local/sbin/mcp-edge-pull";
        const whole = read(script);
        expect(whole).toContain(line);
        const cut =
          moment === "before" ? line.replace("&& mv", () => "&& kill -9 $$; mv") : `${line}; kill -9 $$`;
        root.write(
          script,
          whole.replace(line, () => cut),
          0o755,
        );
        expect((await sh("mcp-edge-pull; exit $?")).code).toBe(137); // as process 1 it could not be killed
        root.write(script, whole, 0o755);
        expect((await sh("mcp-edge-pull")).code).toBe(0);
        expect(runsWith()).toContain("fresh4");
        expect(await traces("REVOKED4")).toBe("");
        expect(
          (await root.sh("find /etc/mcp-edge /var/lib/mcp-edge/pull -name '*secret*' -printf '%p %m\\n'"))
            .output,
        ).toBe("/etc/mcp-edge/secrets.env 600");
      },
    );

    test("is deleted from the files of earlier versions of the script, even when SSM cannot be read", async () => {
      await root.sh(
        "for name in secrets.env secrets.old answer; do echo REVOKED5 >/var/lib/mcp-edge/pull/$name; done",
      );
      root.write("/fake/refuse-AmazonSSM.GetParametersByPath", "");
      want(other, "API_KEY=12");
      expect((await sh("mcp-edge-pull")).code).toBe(1);
      expect(status().log).toContain("cannot read the parameters");
      expect(await traces("REVOKED5")).toBe("");
      expect(read("/etc/mcp-edge/secrets.env")).toContain("fresh4");
    });

    test("can be the last one: the server starts without secrets", async () => {
      root.write("/fake/AmazonSSM.GetParametersByPath.json", '{"Parameters":[]}');
      want(other, "");
      expect((await sh("mcp-edge-pull")).code).toBe(0);
      expect([read("/etc/mcp-edge/secrets.env"), runsWith()]).toEqual(["", ""]);
      expect((await rotate("new", other, "2")).code).toBe(0);
    });
  });

  describe("an archive that is damaged on the machine is downloaded again:", () => {
    const tar = `/srv/mcp-edge/incoming/files-${hash}.tar`;
    const zst = `/srv/mcp-edge/incoming/${other}.tar.zst`;
    test.each([
      ["the release cut short", `truncate -s -1 ${zst}`],
      ["the release empty after a crash", `: >${zst}`],
      ["the release with another content", `echo x >${zst}`],
      ["the files cut short", `truncate -s 20000 ${tar}`],
      ["the files empty after a crash", `: >${tar}`],
      [
        "one byte of a file is another",
        `printf '!' | dd of=${tar} bs=1 seek=$(grep -abo -m 1 'set -euo pipefail' ${tar} | head -n 1 | cut -d : -f 1) conv=notrunc`,
      ],
      ["a partial download beside it", `echo x >${zst}.partial; rm ${zst}`],
    ])("%s", async (_, damage) => {
      await root.sh(damage);
      object(
        "desired.json",
        `${JSON.stringify({ ...desired({ release: other, files: hash, workspace: "" }, "API_KEY=2"), attempt: String(Math.random()) })}\n`,
      );
      expect((await sh("mcp-edge-pull")).code).toBe(0);
      expect(read(zst)).toBe(archives[1].content);
      expect(readFileSync(join(root.folder, "upper", tar))).toEqual(await filesArchive(files));
      expect((await root.sh("ls /srv/mcp-edge/incoming")).output).not.toContain("partial");
    });

    test("a damaged archive in the bucket is a failure that names it, and is not kept", async () => {
      const bad = "8".repeat(64);
      object(`releases/${bad}.tar.zst`, "something else");
      want(bad, "API_KEY=2");
      expect((await sh("mcp-edge-pull")).code).toBe(1);
      expect(status().log).toContain(`releases/${bad}.tar.zst in the bucket is not what its name says`);
      expect((await root.sh("ls /srv/mcp-edge/incoming")).output).not.toContain(bad);
    });
  });

  test("no deployment is started while an earlier run is still changing the machine", async () => {
    root.write("/fake/beside", "activating\n");
    want(release, "API_KEY=2");
    await root.sh("rm -f /var/lib/fake/calls");
    expect(await sh("mcp-edge-pull")).toEqual({ code: 0, output: "" });
    expect(existsSync(join(root.folder, "upper/var/lib/fake/calls"))).toBe(false);
    await root.sh("rm /fake/beside");
    expect((await sh("mcp-edge-pull")).code).toBe(0);
    want(other, "API_KEY=2");
    expect((await sh("mcp-edge-pull")).code).toBe(0);
  });

  test.each([
    [
      "the first boot",
      `cp /fake/cloud-init /status; echo '{"status": "running"}' >/fake/cloud-init; mv /var/lib/mcp-edge/setup.done /; CALL; mv /setup.done /var/lib/mcp-edge; mv /status /fake/cloud-init`,
    ],
    ["another run", "(flock 9; CALL) 9>/var/lib/mcp-edge/pull/lock"],
  ])("a run during %s leaves the files of that run alone", async (_, during) => {
    const call = "touch /etc/mcp-edge/secrets.env.new; mcp-edge-pull; ls /etc/mcp-edge/secrets.env.new";
    expect((await sh(during.replace("CALL", call))).output).toBe("/etc/mcp-edge/secrets.env.new");
  });

  test("a release that does not become ready fails with the reason, and is not tried again until another attempt is requested", async () => {
    want(broken, "API_KEY=2");
    const { code } = await sh("mcp-edge-pull");
    expect(code).toBe(1);
    expect(status()).toMatchObject({ phase: "failed", ok: false, release: other });
    expect(status().log).toContain("was not ready within 30 s");
    await root.sh("rm /var/lib/fake/calls");
    expect((await sh("mcp-edge-pull")).code).toBe(0);
    expect(existsSync(join(root.folder, "upper/var/lib/fake/calls"))).toBe(false);
    object(
      "desired.json",
      `${JSON.stringify({ ...desired({ release: broken, files: hash, workspace: "" }, "API_KEY=2"), attempt: "2" })}\n`,
    );
    expect((await sh("mcp-edge-pull")).code).toBe(1);
  });

  test("a missing archive and a malformed desired.json change nothing", async () => {
    want("7".repeat(64));
    await root.sh("rm -f /var/lib/fake/calls");
    expect((await sh("mcp-edge-pull")).code).toBe(1);
    expect(status().log).toContain(`cannot fetch releases/${"7".repeat(64)}.tar.zst`);
    object("desired.json", '{"release":"$(reboot)"}');
    const { code, output } = await sh("mcp-edge-pull");
    expect([code, output]).toEqual([1, expect.stringContaining("not of our form")]);
    expect(existsSync(join(root.folder, "upper/var/lib/fake/calls"))).toBe(true);
    expect(calls().filter((call) => !call.includes("status"))).toEqual([]);
  });

  test("sshd gets the unexpired keys of Instance Connect for this account and this machine", async () => {
    const block = (until: number, instance: string, key: string) =>
      `#Timestamp=${until}\n#Instance=${instance}\n#Caller=arn:aws:iam::1:user/x\n#Request=1\n${key}\nc2lnbmF0dXJl==\n`;
    const now = Math.floor(Date.now() / 1000);
    const here = "i-0123456789abcdef0";
    const keys = [
      block(now + 60, here, "ssh-ed25519 AAAAgood somebody"),
      block(now - 1, here, "ssh-ed25519 AAAAold"),
      block(now + 60, "i-0fffffffffffffff0", "ssh-ed25519 AAAAelsewhere"),
      "ssh-ed25519 AAAAbare\n",
    ];
    root.write("/fake/keys-admin", keys.join(""));
    const keysCall = await sh(
      "setpriv --reuid=65534 --regid=65534 --clear-groups mcp-edge-keys admin; mcp-edge-keys root; mcp-edge-keys '../x' || echo refused",
    );
    expect(keysCall.output.trim()).toBe("ssh-ed25519 AAAAgood\nrefused");
    expect(
      (await root.sh("ssh-keygen -A >/dev/null; mkdir -p /run/sshd; sshd -T | grep -i authorizedkeyscommand"))
        .output,
    ).toContain("authorizedkeyscommand /usr/local/sbin/mcp-edge-keys %u");
  });

  test("mcp-edge-server runs the active release with the environment files of the server's unit, in their order", async () => {
    expect((await root.sh("mcp-edge-server token list")).output).toContain("no release is active yet");
    root.write(
      "/bin-test/systemctl",
      "#!/bin/sh\nprintf '/etc/mcp-edge/server.env (ignore_errors=no)\\n/own.env (ignore_errors=yes)\\n'\n",
      0o755,
    );
    root.write("/bin-test/systemd-run", '#!/bin/sh\nprintf "%s\\n" "$@"\n', 0o755);
    const { output } = await root.sh(
      "ln -s blue /opt/mcp-edge/active; mount --bind /bin-test/systemctl /usr/bin/systemctl; mount --bind /bin-test/systemd-run /usr/bin/systemd-run; mcp-edge-server token create --name 'a b'",
    );
    const files = ["/etc/mcp-edge/server.env", "/own.env"].map(
      (file) => `--property=EnvironmentFile=-${file}`,
    );
    expect(output.split("\n").slice(-8)).toEqual([
      ...files,
      "/opt/mcp-edge/blue/bin/node",
      "/opt/mcp-edge/blue/server.mjs",
      ...["token", "create", "--name", "a b"],
    ]);
  });

  test("the file system of an enlarged data volume grows once, without a deployment", async () => {
    // Growing a mounted file system needs CAP_SYS_RESOURCE, which a container may lack. There it grows between two mounts.
    root.write(
      "/fake-resize2fs",
      `#!/bin/bash
/real-resize2fs "$1" && exit
umount /srv/mcp-edge && { e2fsck -fp "$1" >/dev/null; /real-resize2fs "$1"; } && mount "$1" /srv/mcp-edge
`,
      0o755,
    );
    const { output } =
      await sh(`cp /usr/sbin/resize2fs /real-resize2fs; mount --bind /fake-resize2fs /usr/sbin/resize2fs; mount -t sysfs sysfs /sys; truncate -s 32M /data.img; device=$(losetup -f --show /data.img) || exit 3
      mkfs.ext4 -q $device; mount $device /srv/mcp-edge
      cp /data-script /usr/local/sbin/mcp-edge-data
      size() { df --output=size -B1M /srv/mcp-edge | tail -n 1 | tr -d ' '; }
      trap 'umount /srv/mcp-edge; losetup -d $device' EXIT
      size; mcp-edge-pull >/dev/null 2>&1; truncate -s 96M /data.img; losetup -c $device; size; mcp-edge-pull 2>&1 | grep grown; size; mcp-edge-pull 2>&1 | grep -c grown`);
    const lines = output.split("\n");
    expect(Number(lines[0])).toBeLessThan(32);
    expect(lines[1]).toBe(lines[0]);
    expect(lines[2]).toMatch(/^mcp-edge-data: the file system has grown to \d+M$/);
    expect(Number(lines[3])).toBeGreaterThan(64);
    expect(lines[4]).toBe("0");
  });

  test("metrics are one signed call, with the remaining fraction of the certificate's life, waiting patches and failed units", async () => {
    await root.sh("systemd-sysusers; systemd-tmpfiles --create mcp-edge.conf; mcp-edge-cert bootstrap");
    const metrics = async (before: string) => {
      expect((await sh(`${before}; mcp-edge-metrics`)).output).toBe("");
      const form = new URLSearchParams(read("/fake/posted").trim().split("\n").at(-1)?.replace("form ", ""));
      expect(form.get("Namespace")).toBe("mcp-edge");
      expect(form.get("MetricData.member.1.Dimensions.member.1.Value")).toBe("i-0123456789abcdef0");
      const numbers = Array.from({ length: 10 }, (_, index) => `MetricData.member.${index + 1}`);
      return Object.fromEntries(
        numbers
          .filter((member) => form.has(`${member}.MetricName`))
          .map((member) => [form.get(`${member}.MetricName`), Number(form.get(`${member}.Value`))]),
      );
    };
    const well = await metrics("true");
    expect(Object.keys(well)).toEqual([
      "MemoryUsedPercent",
      "RootUsedPercent",
      "DataUsedPercent",
      "TrackedFlowsPercent",
      "FailedUnits",
      "CertificateLifeFraction",
    ]);
    expect(well).toMatchObject({ FailedUnits: 0, CertificateLifeFraction: expect.closeTo(1, 1) });
    const waiting = "mkdir -p /run/mcp-edge-patches; echo 3 >/run/mcp-edge-patches/updates";
    expect(await metrics(waiting)).toMatchObject({ PatchesWaiting: 3 });
    const bad = `${waiting}; echo kernel >/run/mcp-edge-patches/reboot; mkdir -p /run/mcp-edge-cert; echo full >/run/mcp-edge-cert/problem; printf 'a.service\\nb.service\\n' >/fake/failed`;
    expect(await metrics(bad)).toMatchObject({ PatchesWaiting: 4, FailedUnits: 3 });
  });
}
