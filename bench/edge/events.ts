import type { Topology } from "../../cloud-init/topology.ts";
import { pause, type Role, runScript, type Target } from "./target.ts";

export interface EdgeEvent {
  readonly name: string;
  readonly title: string;
  /**
   * Makes it happen, and resolves when it is over.
   * @param seconds how long the traffic lasts
   * @returns when it happened, milliseconds since 1970, if it comes without warning
   */
  run(target: Target, seconds: number): Promise<number | undefined>;
}

const script =
  (role: Role, text: string) =>
  async (target: Target): Promise<undefined> => {
    await runScript(target, role, text);
  };

/** Kills a process of the server's machine. @param pid prints its id */
const kill =
  (pid: string) =>
  async (target: Target): Promise<number> =>
    Number(await runScript(target, "server", `pid=$(${pid}); date +%s%3N; kill -9 "$pid"`));

/** Spreads changes over the time of the traffic. */
const changes =
  (texts: readonly [Role, string][]) =>
  async (target: Target, seconds: number): Promise<undefined> => {
    for (const [role, text] of texts) {
      const began = performance.now();
      await runScript(target, role, text);
      await pause(Math.max(0, (seconds * 1_000) / (texts.length + 1) - (performance.now() - began)));
    }
  };

const reboot =
  (role: Role) =>
  async (target: Target): Promise<number> => {
    // When the first process of the machine started
    const boot = () => runScript(target, role, "cut -d ' ' -f 22 /proc/1/stat");
    const before = await boot();
    const at = Number(await runScript(target, role, "date +%s%3N; systemctl reboot"));
    const end = performance.now() + 120_000;
    while (performance.now() < end) {
      await pause(500);
      if ((await boot().catch(() => before)) !== before) return at;
    }
    throw new Error(`The machine "${role}" did not boot again within two minutes`);
  };

const nothing: EdgeEvent = { name: "nothing", title: "nothing, for comparison", run: async () => undefined };

let releases = 0;

const release: EdgeEvent = {
  name: "release",
  title: "a release",
  async run({ checkout, stack }) {
    await checkout.edit("server/version.ts", /"0\.1\.0[^"]*"/, `"0.1.0-bench${++releases}"`);
    await checkout.up(stack, "--no-doctor");
    return undefined;
  },
};

const serverKill: EdgeEvent = {
  name: "server-kill",
  title: "kill -9 of the server",
  run: kill("systemctl show -P MainPID 'mcp-edge@*.service' | grep '^[1-9]' | head -n 1"),
};

const fail2banRestart: EdgeEvent = {
  name: "fail2ban-restart",
  title: "a restart of fail2ban",
  run: script(
    "server",
    "systemctl restart fail2ban.service && until fail2ban-client ping >/dev/null; do sleep 0.1; done",
  ),
};

const CHANGES = Array.from({ length: 10 }, (_, index) => index);

/** The same events in both topologies, of what terminates TLS there: NGINX or Caddy. */
export const EVENTS: Record<Topology, readonly EdgeEvent[]> = {
  terminate: [
    nothing,
    release,
    {
      name: "renewal",
      title: "a renewed certificate",
      run: script("server", "certbot -q renew --no-random-sleep-on-renew --force-renewal"),
    },
    {
      name: "edge-change",
      title: "ten changes of NGINX's files",
      run: changes(
        CHANGES.map((i) => [
          "server",
          `echo "# ${i}" >/srv/mcp-edge/nginx/http.d/bench.conf; systemctl reload nginx`,
        ]),
      ),
    },
    {
      name: "upgrade",
      title: "an upgrade of NGINX",
      // What the package's script does after an upgrade (nginx.postinst).
      run: script("server", "invoke-rc.d nginx upgrade || invoke-rc.d nginx restart"),
    },
    {
      name: "worker-kill",
      title: "kill -9 of an NGINX worker",
      run: kill('pgrep -P "$(cat "/run/nginx/$(cat /run/nginx/current)/nginx.pid")" | head -n 1'),
    },
    serverKill,
    fail2banRestart,
    { name: "reboot", title: "a reboot of the machine", run: reboot("server") },
  ],
  passthrough: [
    nothing,
    release,
    {
      name: "renewal",
      title: "a renewed certificate",
      // Caddy has no command for it. A generation that starts with a certificate that is due renews it by itself, and serves it meanwhile.
      run: script(
        "server",
        `. /usr/local/lib/mcp-edge/certificate.sh; certificate=$(certificate_file); before=$(stat -c %y "$certificate")
        sed -i '0,/^{$/s//{\\n\\trenewal_window_ratio 0.9999999999/' /etc/caddy/Caddyfile; systemctl reload caddy.service
        for i in $(seq 300); do [ "$(stat -c %y "$certificate")" = "$before" ] || break; sleep 0.1; done
        sed -i '/^\\trenewal_window_ratio/d' /etc/caddy/Caddyfile; [ "$(stat -c %y "$certificate")" != "$before" ]`,
      ),
    },
    {
      name: "edge-change",
      title: "five changes of the edge's rules, five of Caddy's files",
      run: changes(
        CHANGES.map((i) =>
          i % 2 === 0
            ? ["edge", "nft -f /etc/nftables.conf"]
            : ["server", `echo "# ${i}" >>/etc/caddy/Caddyfile; systemctl reload caddy`],
        ),
      ),
    },
    {
      name: "upgrade",
      title: "an upgrade of Caddy",
      // What the package's script does after an upgrade (caddy.postinst).
      run: script("server", "deb-systemd-invoke try-restart caddy.service"),
    },
    {
      name: "worker-kill",
      title: "kill -9 of Caddy",
      run: kill('systemctl show -P MainPID "caddy@$(cat /run/caddy/current).service"'),
    },
    serverKill,
    fail2banRestart,
    { name: "reboot", title: "a reboot of the edge", run: reboot("edge") },
    { name: "origin-reboot", title: "a reboot of the origin", run: reboot("server") },
  ],
};
