import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type MachineFile, machineFiles } from "../../cloud-init/machine-files.ts";
import { type Forward, rolesOf } from "../../cloud-init/topology.ts";
import { CLIENTS } from "./edge-and-clients.ts";
import { passthrough } from "./fixture.ts";

const units = readFileSync(join(import.meta.dirname, "fake-generations.sh"), "utf8");

/** The files of an origin, and below /kernel and /nginx the files of forwarders. */
export const NETWORK_FILES: readonly MachineFile[] = [
  ...machineFiles(passthrough("kernel"), rolesOf("passthrough", "origin")),
  ...(["kernel", "nginx"] as const).flatMap((forward) =>
    machineFiles(passthrough(forward), rolesOf("passthrough", "edge")).map((file) => ({
      ...file,
      path: `/${forward}${file.path}`,
    })),
  ),
];

/**
 * Shell for `DebianRoot.sh`: an origin with Caddy and /fake-server.py, a forwarder in the network namespace `edge`, and clients with several
 * addresses in `outside`. Caddy has certificates of its own instead of an ACME server's. Everything ends with the namespaces of the command.
 *
 * What it defines beside CLIENTS: `turn` starts the next generation of Caddy; `load` loads the rules of the forwarder again; `$server` is the
 * process of /fake-server.py.
 */
export const passthroughNetwork = (forward: Forward): string => `
for log in /var/log/caddy/*; do : >$log; done; mkdir -p /run/netns /run/caddy /run/fail2ban
ip link set lo up
for name in edge outside; do ip netns add $name; ip -n $name link set lo up; done
ip link add private type veth peer name inner netns edge
ip -n edge link add world type veth peer name client netns outside
ip link set private up; ip -n edge link set inner up; ip -n edge link set world up; ip -n outside link set client up
ip addr add 10.0.1.10/24 dev private; ip -6 addr add fd00:1::10/64 dev private nodad
ip -n edge addr add 10.0.1.1/24 dev inner; ip -n edge -6 addr add fd00:1::1/64 dev inner nodad
ip -n edge addr add 198.51.100.1/24 dev world; ip -n edge -6 addr add 2001:db8:1:1::1/48 dev world nodad
for address in 198.51.100.2 198.51.100.3 198.51.100.9; do ip -n outside addr add $address/24 dev client; done
for address in 2001:db8:1:5::2 2001:db8:1:6::2 2001:db8:1:6::9; do ip -n outside -6 addr add $address/48 dev client nodad; done
ip route add default via 10.0.1.1; ip -6 route add default via fd00:1::1
ip netns exec edge sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
nft -f /etc/nftables.conf
load() { ip netns exec edge nft -f /${forward}/etc/nftables.conf; }
load
${
  forward === "nginx"
    ? `transparent() { sed -n 's/^ExecStart=//p' /nginx/etc/systemd/system/mcp-edge-transparent.service | while read -r line; do ip netns exec edge $line; done; }
transparent; ip netns exec edge nginx -c /nginx/etc/nginx/nginx.conf`
    : ""
}
python3 /fake-server.py & server=$!; until (echo >/dev/tcp/127.0.0.1/8080) 2>/dev/null; do sleep 0.02; done
sed -i -e '/^\\tcert_issuer/,/^\\t}/d' -e 's/^\\tacme_ca .*/\\tlocal_certs\\n\\tskip_install_trust/' /etc/caddy/Caddyfile
export $(sed -n 's/^Environment=\\(GODEBUG\\)/\\1/p' /etc/systemd/system/caddy@.service)
cat >/usr/local/sbin/systemctl <<'UNITS'
${units}UNITS
chmod 755 /usr/local/sbin/systemctl
mcp-edge-caddy start >/dev/null
turn() { mcp-edge-caddy turn >/dev/null; }
${CLIENTS}
serves() { [ "$(code "$1" --max-time 3)" = 401 ]; }
for address in 198.51.100.9 2001:db8:1:6::9; do within serves $address; done
`;
