import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { machineFiles } from "../../cloud-init/machine-files.ts";
import { DebianRoot, whyNot } from "./debian-root.ts";
import { SETTINGS } from "./fixture.ts";

const reason = whyNot();

if (reason !== undefined) {
  test(`mcp-edge-cert cannot run here: ${reason}`, () => {
    expect(process.env.CI).not.toBe("true");
  });
} else {
  describe("mcp-edge-cert", certificates);
}

function certificates() {
  let root: DebianRoot;
  const lineage = `/srv/mcp-edge/letsencrypt/live/${SETTINGS.domain}`;
  const served = async () =>
    (await root.sh("cat /srv/mcp-edge/tls/live/fullchain.pem /srv/mcp-edge/tls/live/privkey.pem | sha256sum"))
      .output;
  /** Writes a certificate where certbot would. `dates`: options of `openssl req`. */
  const make = (name: string, dates = "-days 10", folder = lineage) =>
    root.sh(
      `mkdir -p ${folder} && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes ${dates} -subj /CN=x ` +
        `-addext subjectAltName=DNS:${name} -keyout ${folder}/privkey.pem -out ${folder}/fullchain.pem 2>/dev/null`,
    );

  beforeAll(async () => {
    root = await DebianRoot.create(machineFiles(SETTINGS));
  }, 600_000);
  afterAll(() => root?.remove());

  test("bootstrap makes a self-signed certificate once, readable for NGINX's workers only, and a host key for QUIC", async () => {
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

  test("a certificate with another name or a wrong key, an expired one and a missing one are refused, and the previous one is still served", async () => {
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

  test("a valid certificate is installed by the hook, and by a replacement machine from the data volume at boot", async () => {
    await make(SETTINGS.domain);
    const { code, output } = await root.sh(`RENEWED_LINEAGE=${lineage} mcp-edge-cert install`);
    expect([code, output]).toEqual([0, expect.stringContaining("installed serial=")]);
    const installed = await served();
    await root.sh("rm -rf /srv/mcp-edge/tls/*");
    expect((await root.sh("mcp-edge-cert bootstrap")).output).toContain("installed serial=");
    expect(await served()).toBe(installed);
  });

  test("only the last two generations are kept", async () => {
    for (let turn = 0; turn < 3; turn++) {
      await make(SETTINGS.domain);
      await root.sh(`mcp-edge-cert install ${lineage}`);
    }
    expect((await root.sh("ls -d /srv/mcp-edge/tls/gen.* | wc -l")).output.trim()).toBe("2");
  });

  describe("with a fake certbot", () => {
    /**
     * A fake certbot: it records its calls, and writes a new lineage if /fake/make says how (its arguments are those
     * of `openssl req`). Only a call with --force-renewal makes one, as nothing is due in these tests.
     */
    const CERTBOT = `#!/bin/sh
echo "$*" >>/fake/calls
case $* in *--force-renewal*) sh /fake/make ;; esac
mkdir -p /srv/mcp-edge/letsencrypt/renewal
printf 'version = 4\\n[renewalparams]\\nserver = %s\\n' "$(sed -n 's/^server = //p' /etc/letsencrypt/cli.ini)" >/srv/mcp-edge/letsencrypt/renewal/${SETTINGS.domain}.conf
`;
    const certificate = (dates: string, name = SETTINGS.domain) =>
      `mkdir -p ${lineage} && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes ${dates} -subj /CN=x ` +
      `-addext subjectAltName=DNS:${name} -keyout ${lineage}/privkey.pem -out ${lineage}/fullchain.pem 2>/dev/null`;
    const EXPIRED = "-not_before 20200101000000Z -not_after 20200201000000Z";
    const forced = (output: string) =>
      output.split("\n").filter((line) => line.includes("--force-renewal")).length;
    /** Whether the lineage's certificate is the one that is served. */
    const SERVED = `cmp ${lineage}/fullchain.pem /srv/mcp-edge/tls/live/fullchain.pem && echo same`;

    beforeAll(() => {
      root.write("/usr/local/sbin/certbot", CERTBOT, 0o755);
      for (const name of ["certbot", "systemd-detect-virt", "systemctl"]) {
        const content =
          name === "certbot" ? CERTBOT : `#!/bin/sh\necho ${name} "$@" >>/fake/calls; [ ! -e /fake/real ]\n`;
        root.write(`/usr/bin/${name}`, content, 0o755);
      }
      root.write("/usr/bin/timedatectl", "#!/bin/sh\ncat /fake/clock\n", 0o755);
      root.write("/fake/clock", "yes\n");
      root.write("/fake/make", certificate("-days 90"));
    });

    test("a missing certificate is requested; with a valid one nothing is requested or written", async () => {
      const { output } = await root.sh(
        `rm -rf ${lineage}; mcp-edge-cert issue; mcp-edge-cert issue; ${SERVED}; ls /run/mcp-edge-cert; cat /fake/calls`,
      );
      expect(output).toContain("certificate for mcp.example.com is in place\n");
      expect(output).toMatch(/\nsame\n/);
      expect(output.match(/certonly/g)).toHaveLength(1);
    });

    test("a certificate is due when a third of its life is left, or a half if that is less than ten days", async () => {
      const left = (days: number, life: number) => {
        const from = new Date(Date.now() - (life - days) * 86_400_000);
        const to = new Date(Date.now() + days * 86_400_000);
        const time = (date: Date) => date.toISOString().replaceAll(/[-:T]|\.\d+/g, "");
        return `openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -not_before ${time(from)} -not_after ${time(to)} -subj /CN=x -keyout /tmp/key -out /tmp/cert 2>/dev/null; due /tmp/cert && echo due || echo early`;
      };
      const { output } = await root.sh(
        `. /usr/local/lib/mcp-edge/nginx-certificate.sh; ${[left(29, 90), left(31, 90), left(2.9, 6), left(3.1, 6)].join("; ")}`,
      );
      expect(output.trim().split("\n")).toEqual(["due", "early", "due", "early"]);
    });

    test("an expired certificate is better than a self-signed one: at a boot with a wrong clock it is still served", async () => {
      const { output } = await root.sh(
        `${certificate(EXPIRED)}; rm -rf /srv/mcp-edge/tls/*; mcp-edge-cert bootstrap; ${SERVED}; sh /fake/make; mcp-edge-cert issue`,
      );
      expect(output).toMatch(/^mcp-edge-cert: installed serial=.*\nsame\n/);
    });

    test("a certificate that begins in the future by the machine's clock is served, and the clock reported", async () => {
      root.write("/fake/make", certificate("-not_before 20990101000000Z -not_after 20990401000000Z"));
      const { output } = await root.sh(
        `rm -rf ${lineage}; mcp-edge-cert issue; echo $?; ${SERVED}; cat /run/mcp-edge-cert/problem`,
      );
      expect(output).toMatch(/is in place\n.*\n1\nsame\nthis machine's clock is behind: .*timedatectl/);
      root.write("/fake/make", certificate("-days 90"));
      await root.sh("sh /fake/make; mcp-edge-cert issue");
    });

    test("a certificate for other names than the settings' is requested again, and serves until then", async () => {
      const names = (list: string) => `${certificate("-days 90").replace("DNS:", `${list},DNS:`)}`;
      const edge = "/etc/mcp-edge/edge.env";
      root.write("/fake/both", names("DNS:token.example.com"));
      const { output } =
        await root.sh(`cp ${edge} /tmp/edge.env; echo "TOKEN_DOMAIN='token.example.com'" >>${edge}
        rm -f /fake/calls; mcp-edge-cert issue; ${SERVED}; cat /fake/calls; echo; sh /fake/both
        rm -f /fake/calls; mcp-edge-cert issue; ${SERVED}; cat /fake/calls; echo none
        cp /tmp/edge.env ${edge}; mcp-edge-cert issue; cat /fake/calls; sh /fake/make; mcp-edge-cert issue`);
      const [before = "", after = ""] = output.split("\n\n");
      const call = (more: string) => `certonly --cert-name ${SETTINGS.domain} -d ${SETTINGS.domain}${more}`;
      expect(before).toMatch(/^same$/m);
      expect(before).toContain(
        `${call(" -d token.example.com")} --renew-with-new-domains --keep-until-expiring`,
      );
      // With both names nothing is requested; without the second one another certificate is.
      expect(after).toMatch(/same\ncat: .*calls.*No such file.*\nnone\n/);
      expect(after).toContain(`${call("")} --renew-with-new-domains --keep-until-expiring`);
    });

    test.each([
      ["is due", "sh -c '. /fake/due'", /--keep-until-expiring/],
      [
        "is from another ACME server",
        `sed -i 's/^server = .*/server = https:..other/' /srv/mcp-edge/letsencrypt/renewal/${SETTINGS.domain}.conf`,
        /--force-renewal/,
      ],
    ])("a certificate that %s is requested again", async (_, before, how) => {
      root.write("/fake/due", certificate("-not_before 20200101000000Z -days 5"));
      const { output } = await root.sh(`rm -f /fake/calls; ${before}; mcp-edge-cert issue; cat /fake/calls`);
      expect(output).toMatch(how);
      await root.sh("sh /fake/make; mcp-edge-cert issue");
    });

    test.each([
      ["the folder is read-only", "mount --bind $T $T; mount -o remount,ro,bind $T", "umount $T"],
      [
        "the volume is full",
        "mount -t tmpfs -o size=16k tmpfs $T; dd if=/dev/zero of=$T/full 2>/dev/null",
        "rm $T/full",
      ],
      [
        "there is room for one file only",
        "mount -t tmpfs -o size=16k tmpfs $T; dd if=/dev/zero of=$T/full bs=4k count=3 2>/dev/null",
        "rm $T/full",
      ],
      ["the process was killed before it was done", "mcp() { return 0; }", "true"],
    ])(
      "if the hook did not install a certificate because %s, the current one is still served, the service reports it, and its next run installs it",
      async (_, spoil, undo) => {
        const killed = spoil.startsWith("mcp()");
        const { output } = await root.sh(`T=/srv/mcp-edge/tls; export RENEWED_LINEAGE=${lineage}
        rm -f /fake/calls; ${spoil}; ${certificate("-days 90")}
        ls -A $T >/tmp/before
        ${killed ? "false" : "mcp-edge-cert install"} && echo installed
        ls -A $T | diff /tmp/before - && echo untouched
        ${killed ? "" : "cat /run/mcp-edge-cert/problem; grep systemctl /fake/calls; mcp-edge-cert issue || echo still"}
        ${undo}; mcp-edge-cert issue; echo $?; ${SERVED}; ls /run/mcp-edge-cert; ls /fullchain.pem 2>&1; grep -c certonly /fake/calls`);
        expect(output).not.toMatch(/^installed$/m);
        expect(output).toContain("untouched");
        if (!killed) {
          expect(output).toMatch(
            /^not installed: cannot write to \/srv\/mcp-edge\/tls .*; NGINX still serves the previous certificate$/m,
          );
          expect(output).toContain("systemctl start --no-block mcp-edge-cert.service");
          expect(output).toContain("still");
        }
        expect(output).toMatch(/\n0\nsame\n(?!.*problem)/s);
        expect(output).toContain("/fullchain.pem': No such file");
      },
    );

    test.each([
      ["always expired, as with a clock that is ahead", EXPIRED, SETTINGS.domain, "has expired"],
      ["for another name", "-days 90", "other.example.com", "is not for"],
    ])(
      "a lasting problem (%s) uses one certificate for each boot, not one for each attempt",
      async (_, dates, name, why) => {
        root.write("/fake/make", certificate(dates, name));
        const { output } = await root.sh(
          `rm -rf ${lineage} /fake/calls; for try in 1 2 3; do mcp-edge-cert issue; done; cat /fake/calls; echo; mcp-edge-cert issue --force; cat /fake/calls`,
        );
        const [tries = "", byHand = ""] = output.split("\n\n");
        expect(forced(tries)).toBe(1);
        expect(tries).toContain(why);
        expect(tries).toContain("the next one is requested after a reboot");
        expect(forced(byHand)).toBe(2);
      },
    );

    test("a renewal is forced only when the clock is synchronised", async () => {
      root.write("/fake/make", certificate("-days 90"));
      root.write("/fake/real", "");
      root.write("/fake/clock", "no\n");
      await root.sh(`rm -f /fake/calls; ${certificate(EXPIRED)}`);
      const wrong = await root.sh("CLOCK_SECONDS=2 mcp-edge-cert issue; cat /fake/calls");
      expect(wrong.output).toContain("the clock is not synchronised: no certificate is forced");
      expect(forced(wrong.output)).toBe(0);
      root.write("/fake/clock", "yes\n");
      expect(forced((await root.sh("mcp-edge-cert issue; cat /fake/calls")).output)).toBe(1);
      await root.sh("rm /fake/real");
    });

    test("the lineage of a former domain is renewed only when the domain is configured again", async () => {
      const folder = "/srv/mcp-edge/letsencrypt/renewal";
      const conf = (domain: string) => `${folder}/${domain}.conf`;
      await root.sh(
        `cp ${conf(SETTINGS.domain)} ${conf("old.example.com")}; echo 'autorenew = False' >>${conf(SETTINGS.domain)}`,
      );
      await root.sh("mcp-edge-cert issue; mcp-edge-cert issue");
      const { output } = await root.sh(`grep -c autorenew ${folder}/*`);
      expect(output).toBe(`${conf(SETTINGS.domain)}:0\n${conf("old.example.com")}:1`);
      expect((await root.sh(`cat ${conf("old.example.com")}`)).output).toContain(
        "[renewalparams]\nautorenew = False\n",
      );
    });
  });

  test("NGINX loads the bootstrap certificate by its variable path", async () => {
    expect((await root.sh("nginx -t")).output).toContain("test is successful");
  });
}
