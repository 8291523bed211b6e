import { describe, expect, test } from "@jest/globals";
import { ask, type Checkout, inMachine, load, type UpOutput } from "./support.ts";

const UNITS = ["nginx@$(cat /run/nginx/current).service", "fail2ban.service", "ssh.service"];

/** Replaces the libraries' files, as an upgrade does. Then apt installs an empty package and runs its hooks. */
const UPGRADE = `set -e
  for name in libssl.so.3 libcrypto.so.3 libc.so.6; do
    file=$(readlink -f "$(ldconfig -p | sed -n "s/.*$name .*=> //p" | head -n 1)"); cp -a $file $file.new; mv $file.new $file
  done
  mkdir -p /tmp/probe/DEBIAN
  printf 'Package: mcp-edge-probe\\nVersion: %s\\nArchitecture: all\\nMaintainer: test <test@example.com>\\nDescription: nothing\\n' $(date +%s) >/tmp/probe/DEBIAN/control
  dpkg-deb -b /tmp/probe /tmp/probe.deb
  DEBIAN_FRONTEND=noninteractive apt-get install -y -q /tmp/probe.deb 2>&1`;

interface Machine {
  readonly checkout: Checkout;
  readonly stack: string;
  readonly up: UpOutput;
}

/** After an upgrade of a library, the services of a booted machine use the new one. @param machine called when the tests run */
export function describeLibraryUpgrade(machine: () => Machine): void {
  /** Runs a script in the machine. */
  const sh = async (script: string) => {
    const { checkout, stack } = machine();
    const result = await inMachine(checkout, stack, "bash", "-c", script);
    return { code: result.code, output: `${result.stdout}${result.stderr}`.trim() };
  };
  const pids = async () => (await sh(`systemctl show -P MainPID ${UNITS.join(" ")}`)).output.split(/\s+/);
  const colour = async () => JSON.parse((await sh("mcp-edge-deploy status --json")).output).colour as string;

  describe("an upgrade of libssl, libcrypto and libc", () => {
    test("restarts the services that use them, and the server and NGINX switch without a lost request", async () => {
      await sh("systemctl start ssh.service");
      const before = { pids: await pids(), colour: await colour() };
      const { up } = machine();
      const traffic = load(up, up.token?.token ?? "", 20);
      const { code, output } = await sh(UPGRADE);
      expect([code, output]).toEqual([0, expect.stringMatching(/nginx@\d+\.service/)]);
      const after = await pids();
      for (const [index, pid] of before.pids.entries())
        expect([UNITS[index], after[index]]).not.toEqual([UNITS[index], pid]);
      expect(await colour()).not.toBe(before.colour);
      const { failures } = await traffic.stop();
      expect(failures).toEqual([]);
      expect((await ask(up, "/readyz")).status).toBe(200);
      // The slot before drains for a while.
      const stale = await sh(
        `for i in $(seq 240); do
        found=$(for unit in ${UNITS.join(" ")} mcp-edge@blue mcp-edge@green; do for pid in $(cat /sys/fs/cgroup/$(systemctl show -P ControlGroup $unit)/cgroup.procs 2>/dev/null); do grep -lE 'lib(ssl|crypto|c)\\.so.*deleted' /proc/$pid/maps; done; done)
        [ -n "$found" ] || break; sleep 0.5
      done; echo "$found"`,
      );
      expect(stale.output).toBe("");
    }, 600_000);

    test("reports that a reboot is due for a process that cannot be restarted", async () => {
      expect(
        (await sh("systemctl start mcp-edge-patches.service; cat /run/mcp-edge-patches/reboot")).output,
      ).toMatch(/replaced libraries: .*\bdbus/);
    }, 600_000);

    test("schedules the reboot in the hour after 04:00", async () => {
      expect((await sh("systemctl show -P NextElapseUSecRealtime mcp-edge-reboot.timer")).output).toMatch(
        / 0[45]:\d\d:\d\d UTC$/,
      );
    }, 600_000);
  });
}
