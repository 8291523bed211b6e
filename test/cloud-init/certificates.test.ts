import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { machineFiles } from "../../cloud-init/machine-files.ts";
import { SETTINGS } from "./fixture.ts";
import { JudgeRoot, whyNot } from "./judge-root.ts";

const reason = whyNot();

if (reason !== undefined) {
  test(`mcp-edge-cert cannot run here: ${reason}`, () => {
    expect(process.env.CI).not.toBe("true");
  });
} else {
  describe("mcp-edge-cert", certificates);
}

function certificates() {
  let root: JudgeRoot;
  const lineage = `/srv/mcp-edge/letsencrypt/live/${SETTINGS.domain}`;
  const served = async () =>
    (await root.sh("cat /srv/mcp-edge/tls/live/fullchain.pem /srv/mcp-edge/tls/live/privkey.pem | sha256sum"))
      .output;
  /** Lays a certificate where certbot would. `dates`: options of `openssl req`. */
  const make = (name: string, dates = "-days 10", folder = lineage) =>
    root.sh(
      `mkdir -p ${folder} && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes ${dates} -subj /CN=x ` +
        `-addext subjectAltName=DNS:${name} -keyout ${folder}/privkey.pem -out ${folder}/fullchain.pem 2>/dev/null`,
    );

  beforeAll(async () => {
    root = await JudgeRoot.create(machineFiles(SETTINGS));
  }, 600_000);
  afterAll(() => root?.remove());

  test("bootstrap makes a self-signed one once, readable for NGINX's workers only, and a host key for QUIC", async () => {
    expect((await root.sh("mcp-edge-cert bootstrap")).output).toContain(
      "self-signed certificate for mcp.example.com",
    );
    const first = await served();
    expect(await root.sh("mcp-edge-cert bootstrap")).toEqual({ code: 0, output: "" });
    expect(await served()).toBe(first);
    const modes = await root.sh(
      "cd /srv/mcp-edge/tls && stat -c '%a %G %s' quic_host.key live/. && stat -Lc '%a %G' live/*",
    );
    expect(modes.output).toMatch(/^600 root 32\n750 www-data \d+\n640 www-data\n640 www-data$/);
  });

  test("a certificate for another name, a wrong key, an expired or a missing one is refused; the one before serves on", async () => {
    const before = await served();
    const refuses = async (why: string) => {
      const { code, output } = await root.sh(`RENEWED_LINEAGE=${lineage} mcp-edge-cert install`);
      expect([code, output]).toEqual([1, expect.stringContaining(why)]);
      expect(await served()).toBe(before);
    };
    await refuses("is missing or empty");
    await make("other.example.com");
    await refuses("is not for mcp.example.com");
    await make(SETTINGS.domain, "-not_before 20200101000000Z -not_after 20200201000000Z");
    await refuses("has expired");
    await make(SETTINGS.domain);
    await root.sh(
      `openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out ${lineage}/privkey.pem`,
    );
    await refuses("does not belong to");
  });

  test("a good one is installed by the hook; a replaced machine takes it from the data volume at boot", async () => {
    await make(SETTINGS.domain);
    const { code, output } = await root.sh(`RENEWED_LINEAGE=${lineage} mcp-edge-cert install`);
    expect([code, output]).toEqual([0, expect.stringContaining("installed serial=")]);
    const installed = await served();
    await root.sh("rm -rf /srv/mcp-edge/tls/*");
    expect((await root.sh("mcp-edge-cert bootstrap")).output).toContain("installed serial=");
    expect(await served()).toBe(installed);
  });

  test("only the last two generations stay", async () => {
    for (let turn = 0; turn < 3; turn++) {
      await make(SETTINGS.domain);
      await root.sh(`mcp-edge-cert install ${lineage}`);
    }
    expect((await root.sh("ls -d /srv/mcp-edge/tls/gen.* | wc -l")).output.trim()).toBe("2");
  });

  test("without the ACME server issue fails with a way out, and what serves stays", async () => {
    const before = await served();
    const { code, output } = await root.sh("mcp-edge-cert issue --force");
    expect([code, output]).toEqual([1, expect.stringContaining("the service tries again by itself")]);
    expect(await served()).toBe(before);
  }, 60_000);

  test("NGINX takes the bootstrap certificate by its variable path", async () => {
    expect((await root.sh("nginx -t")).output).toContain("test is successful");
  });
}
