import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { machineFiles } from "../../cloud-init/machine-files.ts";
import { DebianRoot, whyNot } from "./debian-root.ts";
import { SETTINGS } from "./fixture.ts";

/** The decision about a reboot, with stand-ins for needrestart, apt-get and systemctl. test/machine/library-upgrade.ts shows that services restart. */
const reason = whyNot();

if (reason !== undefined) {
  test(`mcp-edge-patches cannot run here: ${reason}`, () => {
    expect(process.env.CI).not.toBe("true");
  });
} else {
  describe("mcp-edge-patches", patches);
}

test.each([
  ["04:00", "OnCalendar=*-*-* 04:00 UTC"],
  ["23:30", "OnCalendar=*-*-* 23:30 UTC"],
  ["off", undefined],
])("rebootAt %s", (rebootAt, line) => {
  const timer = machineFiles({ ...SETTINGS, rebootAt }).find(({ path }) =>
    path.endsWith("/mcp-edge-reboot.timer"),
  );
  if (line === undefined) expect(timer).toBeUndefined();
  else expect(timer?.content.split("\n")).toContain(line);
});

test.each(["4:00", "04:00; rm", "24:00", "", "04:00\n"])(
  "rebootAt %j is refused, since it is not valid in a unit",
  (rebootAt) => {
    expect(() => machineFiles({ ...SETTINGS, rebootAt })).toThrow("rebootAt must be a time of day");
  },
);

function patches() {
  let root: DebianRoot;
  const KERNEL =
    "NEEDRESTART-VER: 3.11\nNEEDRESTART-KCUR: 6.12.1\nNEEDRESTART-KEXP: 6.12.9\nNEEDRESTART-KSTA: ";

  beforeAll(async () => {
    root = await DebianRoot.create(machineFiles(SETTINGS));
    for (const name of ["needrestart", "apt-get"])
      root.write(
        `/usr/local/sbin/${name}`,
        `#!/bin/sh\necho ${name} "$@" >>/calls\ncat /fake-${name} 2>/dev/null\n`,
        0o755,
      );
  }, 600_000);
  // systemd runs the check in its own unit.
  beforeAll(() =>
    root.write(
      "/usr/local/sbin/systemctl",
      '#!/bin/sh\necho systemctl "$@" >>/calls\n[ "$*" != "start mcp-edge-patches.service" ] || exec mcp-edge-patches check\n',
      0o755,
    ),
  );
  afterAll(() => root?.remove());

  test("needrestart and systemd accept their files", async () => {
    expect(
      await root.sh(
        "perl -e 'our %nrconf; do $_ or die \"$_: $@\" for @ARGV' /etc/needrestart/conf.d/mcp-edge.conf",
      ),
    ).toEqual({
      code: 0,
      output: "",
    });
    expect((await root.sh("/usr/sbin/needrestart -b -r l")).output).toContain("NEEDRESTART-VER: ");
    const { output } = await root.sh("systemd-analyze calendar '*-*-* 04:00 UTC'");
    expect(output).toContain("Next elapse: ");
  });

  test.each([
    ["nothing waits", "", `${KERNEL}1\n`, ""],
    ["the kernel is not known, as in a container", "", "NEEDRESTART-VER: 3.11\n", ""],
    ["another kernel is installed", "", `${KERNEL}3\n`, "the kernel 6.12.9 is installed and 6.12.1 runs"],
    ["the same kernel was rebuilt", "", `${KERNEL}2\n`, "the kernel 6.12.9 is installed"],
    [
      "services could not be restarted",
      "",
      `${KERNEL}1\nNEEDRESTART-SVC: dbus.service\nNEEDRESTART-SVC: systemd-logind.service\n`,
      "replaced libraries: dbus.service systemd-logind.service",
    ],
    [
      "a package requires it",
      "linux-image-amd64\nlibc6\nlibc6\n",
      `${KERNEL}1\n`,
      "a package requires it: libc6 linux-image-amd64",
    ],
  ])("%s", async (_, packages, found, why) => {
    root.write("/fake-needrestart", found);
    root.write("/fake-packages", packages);
    const { code, output } = await root.sh(
      `rm -f /calls; [ ! -s /fake-packages ] || { touch /run/reboot-required; cp /fake-packages /run/reboot-required.pkgs; }
       mcp-edge-patches reboot; cat /run/mcp-edge-patches/reboot; grep 'systemctl reboot' /calls || echo 'no reboot'`,
    );
    expect(code).toBe(0);
    if (why)
      expect(output).toMatch(
        new RegExp(`^mcp-edge-patches: reboot: .*${why}.*\n.*${why}.*\nsystemctl reboot$`),
      );
    else expect(output).toBe("no reboot");
  });

  test("security updates are counted, others are not", async () => {
    root.write(
      "/fake-apt-get",
      "Inst libssl3t64 [3.5.1] (3.5.4 Debian-Security:13/stable-security [amd64])\nInst tzdata [2025a] (2025b Debian:13.2/stable [all])\n" +
        "Inst nginx [1] (2 Debian:13.2/stable, Debian-Security:13/stable-security [amd64])\nConf nginx (2 Debian-Security:13/stable-security [amd64])\n",
    );
    expect((await root.sh("mcp-edge-patches check; cat /run/mcp-edge-patches/updates")).output).toBe("2");
    root.write("/fake-apt-get", "");
    expect((await root.sh("mcp-edge-patches check; cat /run/mcp-edge-patches/updates")).output).toBe("0");
  });

  test("the machine does not reboot during a deployment", async () => {
    root.write("/fake-needrestart", `${KERNEL}3\n`);
    const { output } = await root.sh(
      `rm -f /calls; sed 's/flock -w 1200/flock -w 0/' /usr/local/sbin/mcp-edge-patches >/tmp/patches
       exec 8>/run/lock/mcp-edge-deploy.lock; flock 8; bash /tmp/patches reboot; echo $?; grep -c 'systemctl reboot' /calls`,
    );
    expect(output).toMatch(/no reboot this time\n1\n0$/);
  });

  test("the serving slot of the server hands over, and a draining slot is not restarted", async () => {
    root.write("/usr/local/sbin/mcp-edge-deploy", '#!/bin/sh\necho deploy "$@" >>/calls\n', 0o755);
    const { output } = await root.sh(
      "rm -f /calls; mkdir -p /opt/mcp-edge; ln -sfn green /opt/mcp-edge/active; cd /etc/needrestart/restart.d; ./mcp-edge@blue.service; ./mcp-edge@green.service; cat /calls",
    );
    expect(output).toBe("deploy restart");
  });
}
