import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "@jest/globals";
import { machineFiles } from "../../cloud-init/machine-files.ts";
import { desired, desiredText } from "../../infra/aws/desired.ts";
import { projectRoot } from "../../infra/paths.ts";
import { DebianRoot, type Session, whyNot } from "./debian-root.ts";
import { AROUND, AWS_SETTINGS, SETTINGS } from "./fixture.ts";

/** Debian's certbot against Pebble, and what NGINX serves meanwhile. One ACME server and one NGINX run for all tests. */
const reason = whyNot();

if (reason !== undefined) {
  test(`certbot cannot run here: ${reason}`, () => {
    expect(process.env.CI).not.toBe("true");
  });
} else {
  describe("with a real ACME server", acme);
}

const ACME_SERVER = "https://localhost:14000/dir";
const { domain } = SETTINGS;

function acme() {
  let root: DebianRoot;
  let session: Session;

  beforeAll(async () => {
    root = await DebianRoot.create(machineFiles({ ...SETTINGS, acmeServer: ACME_SERVER }));
    for (const name of ["acme-proxy.py", "acme.sh"])
      root.write(`/${name}`, readFileSync(join(import.meta.dirname, name)));
    session = await root.session();
    const { output } = await sh(
      "mcp-edge-cert bootstrap; fake_ca; dns_starts; pebble_starts; proxy_starts; nginx; served",
    );
    expect(output).toMatch(/^mcp-edge-cert: self-signed certificate .*\nserial=\w+$/);
  }, 600_000);
  afterAll(async () => {
    await session?.close();
    root?.remove();
  });

  const sh = async (script: string) => {
    const { output, code } = await session.sh(`DOMAIN=${domain}; . /acme.sh\n${script}`);
    return { output: output.trim(), code };
  };
  const served = async () => (await sh("served")).output;
  const problem = async () => (await sh("cat /run/mcp-edge-cert/problem 2>/dev/null")).output;
  /** @returns what the failed run reports, after the check that NGINX serves the same certificate as before */
  async function failure(script = "mcp-edge-cert issue"): Promise<string> {
    const before = await served();
    const { code, output } = await sh(`wants_renewal; ${script}`);
    expect(`exit code ${code}: ${output}`).toMatch(/^exit code 1: /);
    expect(await served()).toBe(before);
    const reported = await problem();
    expect(output).toContain(reported.split("\n")[0]);
    return reported;
  }
  async function renewed(script = "mcp-edge-cert issue"): Promise<string> {
    const before = await served();
    const { code, output } = await sh(`wants_renewal; ${script}`);
    expect([code, output]).toEqual([0, expect.stringContaining(`certificate for ${domain} is in place`)]);
    expect(await served()).not.toBe(before);
    expect(await problem()).toBe("");
    return output;
  }

  test("the first certificate replaces the self-signed one, and the next run requests nothing", async () => {
    const before = await served();
    const { output } = await sh(
      "mcp-edge-cert issue; rm /fake/requests; mcp-edge-cert issue; cat /fake/requests; openssl x509 -in /srv/mcp-edge/tls/live/fullchain.pem -noout -text | grep -o 'ASN1 OID.*'",
    );
    // The key is a short one: the chain fits into few packets of QUIC. The second run asks only when to renew.
    expect(output).toMatch(
      /^mcp-edge-cert: certificate for mcp.example.com is in place\nGET \/dir\nGET \/\S+\/renewalInfo\/[\w-]+\.[\w-]+\nASN1 OID: prime256v1$/,
    );
    expect(await served()).not.toBe(before);
  });

  test("when to renew is asked again only after the time that the ACME server gives, and the moment stays", async () => {
    const { output } = await sh(`rm /fake/requests; cp /run/mcp-edge-cert/ari /fake/ari; mcp-edge-cert issue
      cmp /fake/ari /run/mcp-edge-cert/ari && ls /fake/requests
      sed -i 's/"check": [^,}]*/"check": 1/' /run/mcp-edge-cert/ari; mcp-edge-cert issue; grep -c renewalInfo /fake/requests
      python3 -c 'import json; a, b = (json.load(open(f)) for f in ("/fake/ari", "/run/mcp-edge-cert/ari")); print(a["renew"] == b["renew"], a["window"][0] <= a["renew"] <= a["window"][1], b["check"] - '"$(date +%s)"' > 20000)'`);
    expect(output).toMatch(/No such file or directory\n1\nTrue True True$/);
  });

  describe("a failure leaves the last certificate, and says what is wrong and which command helps:", () => {
    afterEach(() => sh("rm -f /fake/acme.json /run/mcp-edge-cert/retry-at"));

    const refused = (kind: string, status = 403) =>
      `answers 'POST /order-plz' ${status} ${kind} 'a detail of the server'`;

    test.each([
      [
        "the ACME server is down",
        "ends proxy",
        "proxy_starts",
        /does not answer.*curl -sSI https:\/\/localhost:14000\/dir/,
      ],
      [
        "the ACME server has an outage",
        "answers . 503 serverInternal 'The service is down for maintenance'",
        "",
        /does not answer, or with an error of its own/,
      ],
      [
        "the ACME server's own certificate has expired, as with a clock that is ahead",
        "ends proxy; proxy_starts /fake/expired.pem",
        "ends proxy; proxy_starts",
        /clock says \d{4}-.*not valid. Set the clock: timedatectl/,
      ],
      [
        "the ACME server's own certificate is not trusted",
        "mv /etc/ssl/certs/ca-certificates.crt /fake/trusted; cp /fake/expired.pem /etc/ssl/certs/ca-certificates.crt",
        "mv /fake/trusted /etc/ssl/certs/ca-certificates.crt",
        /does not trust.*set acmeCa/,
      ],
      [
        "the ACME server does not reach port 80",
        "nft 'table inet closed { chain input { type filter hook input priority 0; tcp dport 80 reject with tcp reset; }; }'",
        "nft delete table inet closed",
        /does not reach http:\/\/mcp.example.com\/.well-known\/acme-challenge\/.*port 80 must be open. See: dig A/,
      ],
      ["a CAA record forbids it", refused("caa"), "", /CAA record.*dig CAA mcp.example.com/],
      [
        "the ACME server has no such profile",
        "sed -i 's/^server = /required-profile = longlived\\n&/' /etc/letsencrypt/cli.ini; echo \"ACME_PROFILE='longlived'\" >>/etc/mcp-edge/edge.env",
        "sed -i /^required-profile/d /etc/letsencrypt/cli.ini; sed -i /ACME_PROFILE/d /etc/mcp-edge/edge.env",
        /no profile "longlived" \(setting acmeProfile\)\. It has: classic, shortlived/,
      ],
      [
        "certbot fails in a way of its own",
        "chmod 000 /usr/lib/python3/dist-packages/josepy; mv /usr/lib/python3/dist-packages/josepy /fake",
        "mv /fake/josepy /usr/lib/python3/dist-packages; chmod 755 /usr/lib/python3/dist-packages/josepy",
        /certbot failed. See: tail -n 50 \/var\/log\/letsencrypt/,
      ],
      [
        "the data volume is full",
        "fill_data_volume",
        "umount /srv/mcp-edge",
        /the disk of \/srv\/mcp-edge\/tls is full. What takes the space: du -xh -d 2 \/srv\/mcp-edge/,
      ],
      [
        "the disk becomes full while certbot runs",
        "mount -t tmpfs -o size=4k tmpfs /var/www/acme && while head -c 4096 /dev/zero >>/var/www/acme/full; do :; done 2>/dev/null",
        "umount /var/www/acme",
        /a disk is full. See: df -h/,
      ],
    ])("%s", async (_what, spoil, undo, expected) => {
      const reported = await failure(`${spoil}; mcp-edge-cert issue; code=$?; ${undo || ":"}; exit $code`);
      expect(reported).toMatch(expected);
      expect(reported).toMatch(
        /^no certificate for .*NGINX serves the last certificate, which is valid until 2/,
      );
    });
  });

  describe("a rate limit", () => {
    afterEach(() => sh("rm -f /fake/acme.json /run/mcp-edge-cert/retry-at"));
    const limited = (detail: string, headers = "") =>
      `answers 'POST /order-plz' 429 rateLimited '${detail}' ${headers && `'${headers}'`}`;
    const inSeconds = async () =>
      Number((await sh("echo $(($(cat /run/mcp-edge-cert/retry-at) - $(date +%s)))")).output);

    test("is kept: until Retry-After nothing is requested but by hand, and the failure stays reported", async () => {
      const reported = await failure(
        `${limited("too many", '{"Retry-After": "7200"}')}; mcp-edge-cert issue`,
      );
      expect(reported).toMatch(
        /limits requests, and wants none before 2\S+Z\..*at once: mcp-edge-cert issue --force/,
      );
      expect(Math.abs((await inSeconds()) - 7200)).toBeLessThan(60);
      const { output } = await sh(
        "rm -f /fake/acme.json /fake/requests; mcp-edge-cert issue; echo $?; cat /fake/requests",
      );
      expect(output).toMatch(/wants no request before.*\n1\n.*No such file/);
      expect(await problem()).toBe(reported);
      await renewed("mcp-edge-cert issue --force");
    });

    test("ends at the time in the header or the text, in an hour, or in a week at most", async () => {
      const { output } = await sh(`. /usr/local/lib/mcp-edge/acme.sh; RUN=/fake
        after() { echo "$1" >$RUN/certbot.log; echo $(($(retry_after) - $(date +%s))); }
        after 'Retry-After: 7200'; after "Retry-After: $(date -u -R -d +2hours)"
        after "too many certificates, retry after $(date -u -d +3hours '+%F %T') UTC: see https://letsencrypt.org"
        after 'slow down'; after 'Retry-After: 999999999'`);
      const rounded = output.split("\n").map((seconds) => Math.round(Number(seconds) / 60) * 60);
      expect(rounded).toEqual([7200, 7200, 10_800, 3600, 604_800]);
    });
  });

  test("a closed account, and one that the ACME server does not know, is replaced by a new one", async () => {
    const closed =
      await renewed(`cp -a /srv/mcp-edge/letsencrypt/accounts /fake/accounts && certbot -q unregister --agree-tos -n &&
      cp -a /fake/accounts/. /srv/mcp-edge/letsencrypt/accounts && mcp-edge-cert issue`);
    expect(closed).toContain("has closed it: a new one is made");
    // Pebble forgets everything when it ends, and has another root then.
    const unknown = await renewed("ends pebble; pebble_starts; mcp-edge-cert issue --force");
    expect(unknown).toContain("does not know our account any more");
  });

  test("a revoked certificate is replaced at the next check, once in half a day", async () => {
    const again = `sed -i 's/"check": [^,}]*/"check": 1/' /run/mcp-edge-cert/ari; mcp-edge-cert issue`;
    const revoke = `certbot -q revoke -n --no-delete-after-revoke --cert-name ${domain} --reason keycompromise`;
    const before = await served();
    const { output } = await sh(
      `rm -f /run/mcp-edge-cert/renewed-early; mcp-edge-cert issue; ${revoke} && ${again}`,
    );
    expect(output).toMatch(
      /^mcp-edge-cert: the ACME server wants the certificate renewed since 2.*\n.* is in place$/,
    );
    expect(await served()).not.toBe(before);
    const after = await served();
    expect((await sh(`mcp-edge-cert issue; ${revoke} && ${again}`)).output).toBe("");
    expect(await served()).toBe(after);
  });

  test("another profile in the settings is requested at once, and then no more", async () => {
    await renewed(`sed -i 's/^server = /required-profile = shortlived\\n&/' /etc/letsencrypt/cli.ini
      echo "ACME_PROFILE='shortlived'" >>/etc/mcp-edge/edge.env; rm /fake/requests; mcp-edge-cert issue`);
    const { output } = await sh(
      "grep profile /fake/requests; rm /fake/requests; mcp-edge-cert issue; cat /fake/requests",
    );
    expect(output).toMatch(/^profile shortlived\nGET \/dir\nGET \S+renewalInfo\S+$/);
  });

  describe("with dns-01 and Route 53", () => {
    let home: string;
    let amazon: ChildProcess;
    /** The overlay is mounted: a file reaches it only from within. */
    const write = (path: string, content: string) =>
      sh(
        `mkdir -p ${dirname(path)}; cat >${path} <<'END_OF_FILE'\n${content}\nEND_OF_FILE\nchmod 755 ${path}`,
      );
    const zone = (id: string) =>
      write(
        "/var/lib/mcp-edge/pull/desired.json",
        desiredText(desired({ release: "5".repeat(64), files: "6".repeat(64), workspace: "", zone: id }, "")),
      );

    beforeAll(async () => {
      home = mkdtempSync(join(tmpdir(), "mcp-edge-route53-"));
      const dns = machineFiles({
        ...{ ...AWS_SETTINGS, acmeServer: ACME_SERVER, acmeChallenge: "dns-01", tokenDomain: "" },
      });
      for (const { path, content } of dns)
        if (/cli\.ini$|mcp-edge-dns01$|lib\/mcp-edge\/aws\.sh$/.test(path)) await write(path, content);
      await write(
        "/etc/mcp-edge/aws.env",
        `REGION=${AROUND.region}\nAWS_ENDPOINT_URL=http://127.0.0.1:8000\nIMDS=http://127.0.0.1:8001`,
      );
      await write("/second/.curlrc", 'interface = "127.0.0.2"');
      await sh("echo \"ACME_CHALLENGE='dns-01'\" >>/etc/mcp-edge/edge.env");
      await zone("Z0123456789DOUBLE");
      const endpoint = join(projectRoot, "test/aws-double/endpoint/alone.ts");
      const env = { PATH: process.env.PATH, AWS_DOUBLE_HOME: home, DOMAIN: domain, ZONE_NAME: "example.com" };
      amazon = spawn("nsenter", [`--net=${session.netns}`, process.execPath, endpoint], {
        env,
        stdio: "inherit",
      });
      await sh("up 8000");
    });
    afterAll(async () => {
      amazon?.kill();
      if (amazon?.exitCode === null) await once(amazon, "exit");
      rmSync(home, { recursive: true, force: true });
    });
    const issue = "mcp-edge-cert issue --force";
    const records = () => readdirSync(join(home, "resources")).filter((name) => name.includes("record"));

    test("a certificate is issued while port 80 is closed, and the record is gone afterwards", async () => {
      await renewed(`nft 'table inet closed { chain input { type filter hook input priority 0; tcp dport 80 reject with tcp reset; }; }'
        ${issue}; code=$?; nft delete table inet closed; exit $code`);
      expect(records()).toEqual([]);
    });

    test("two machines have their records at the same time, and each deletes its own", async () => {
      const hook = (machine: "" | "/second", what: string, value: string) =>
        `CURL_HOME=${machine} CERTBOT_DOMAIN=${domain} CERTBOT_VALIDATION=${value} mcp-edge-dns01 ${what}`;
      expect(
        (await sh(`${hook("", "create", "first")} && ${hook("/second", "create", "second")}`)).output,
      ).toBe("");
      expect(records()).toHaveLength(2);
      expect(await sh(hook("/second", "delete", "second"))).toEqual({ code: 0, output: "" });
      expect(records()).toEqual([expect.stringContaining("i-00000000000000001")]);
      expect(await sh(hook("", "delete", "first"))).toEqual({ code: 0, output: "" });
      expect(records()).toEqual([]);
    });

    test.each([
      ["the deployment names no zone", "", /names no zone in Route 53. Set zone/],
      [
        "the zone is not there, or not the one of the role",
        "Z9",
        /Route 53 refuses to create _acme-challenge.mcp.example.com in zone Z9: AccessDenied: not authorized.*npm run up/,
      ],
    ])("a failure is reported with Route 53's reason: %s", async (_what, id, expected) => {
      await zone(id);
      expect(await failure(issue)).toMatch(expected);
      await zone("Z0123456789DOUBLE");
    });
  });

  test.each([
    ["externalAccountRequired", "http-01", /external account binding.*the setting acme/],
    ["dns", "http-01", /does not reach http:.*dig A mcp.example.com/],
    ["dns", "dns-01", /does not find the record.*dig NS mcp.example.com/],
    ["malformed", "http-01", /certbot failed. See: tail/],
  ])("the ACME server's error %s with %s is explained", async (kind, challenge, expected) => {
    const { output } =
      await sh(`. /etc/mcp-edge/edge.env; . /usr/local/lib/mcp-edge/acme.sh; RUN=/fake ACME_CHALLENGE=${challenge}
      echo '{"type": "urn:ietf:params:acme:error:${kind}"}' >$RUN/certbot.log; explain`);
    expect(output).toMatch(expected);
  });
}
