import { pause, type Role, runScript, type Target, TOPOLOGIES, type Topology } from "./target.ts";

export interface EdgeEvent {
  readonly name: string;
  readonly title: string;
  readonly topologies?: readonly Topology[];
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

/** Kills a process that `pid` prints the id of. */
const kill =
  (role: Role, pid: string) =>
  async (target: Target): Promise<number> =>
    Number(await runScript(target, role, `pid=$(${pid}); date +%s%3N; kill -9 "$pid"`));

const CHANGES = 10;

let releases = 0;

export const EVENTS: readonly EdgeEvent[] = [
  {
    name: "release",
    title: "a release",
    async run({ checkout, stack }) {
      await checkout.edit("server/version.ts", /"0\.1\.0[^"]*"/, `"0.1.0-bench${++releases}"`);
      await checkout.up(stack, "--no-doctor");
      return undefined;
    },
  },
  {
    name: "renewal",
    title: "a renewed certificate",
    run: script("edge", "certbot -q renew --no-random-sleep-on-renew --force-renewal"),
  },
  {
    name: "edge-change",
    title: `${CHANGES} changes of NGINX's files`,
    async run(target, seconds) {
      for (let i = 0; i < CHANGES; i++) {
        const began = performance.now();
        const change = `echo "# ${i}" >/srv/mcp-edge/nginx/http.d/bench.conf; systemctl reload nginx`;
        await runScript(target, "edge", change);
        await pause((seconds * 1_000) / (CHANGES + 1) - (performance.now() - began));
      }
      return undefined;
    },
  },
  {
    name: "nginx-upgrade",
    title: "an upgrade of NGINX",
    // What the package's script does after an upgrade (nginx.postinst).
    run: script("edge", "invoke-rc.d nginx upgrade || invoke-rc.d nginx restart"),
  },
  {
    name: "worker-kill",
    title: "kill -9 of an NGINX worker",
    run: kill("edge", 'pgrep -P "$(cat "/run/nginx/$(cat /run/nginx/current)/nginx.pid")" | head -n 1'),
  },
  {
    name: "server-kill",
    title: "kill -9 of the server",
    run: kill("origin", "systemctl show -P MainPID 'mcp-edge@*.service' | grep '^[1-9]' | head -n 1"),
  },
  {
    name: "fail2ban-restart",
    title: "a restart of fail2ban",
    run: script(
      "edge",
      "systemctl restart fail2ban.service && until fail2ban-client ping >/dev/null; do sleep 0.1; done",
    ),
  },
  { name: "reboot", title: "a reboot of the machine", run: (target) => reboot(target, "edge") },
  {
    name: "origin-reboot",
    title: "a reboot of the origin",
    topologies: ["passthrough"],
    run: (target) => reboot(target, "origin"),
  },
];

/** Events that can happen in a topology. */
export const eventsOf = (topology: Topology): EdgeEvent[] =>
  EVENTS.filter(({ topologies = TOPOLOGIES }) => topologies.includes(topology));

async function reboot(target: Target, role: Role): Promise<number> {
  // When the first process of the machine started
  const boot = () => runScript(target, role, "cut -d ' ' -f 22 /proc/1/stat");
  const before = await boot();
  const at = Number(await runScript(target, role, "date +%s%3N; systemctl reboot"));
  const end = performance.now() + 120_000;
  while (performance.now() < end) {
    await pause(500);
    if ((await boot().catch(() => before)) !== before) return at;
  }
  throw new Error(`The ${role} did not boot again within two minutes`);
}
