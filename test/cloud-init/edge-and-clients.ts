import { readFileSync } from "node:fs";
import { join } from "node:path";
import { SETTINGS } from "./fixture.ts";

const { domain } = SETTINGS;
const units = readFileSync(join(import.meta.dirname, "fake-generations.sh"), "utf8");

/**
 * Shell for `DebianRoot.sh`: a generation of NGINX and the firewall with the machine's files, /fake-server.py behind them, and clients with several addresses
 * in a network namespace `outside`. Everything ends with the namespaces of the command.
 *
 * What it defines: `from ADDRESS CURL-ARGUMENT...`; `code ADDRESS [CURL-ARGUMENT...]` prints the status of GET /mcp, or 000 without a response.
 */
export const EDGE_AND_CLIENTS = `
rm -f /var/log/nginx/*.log; mkdir -p /run/netns
ip link set lo up; ip netns add outside
ip link add machine type veth peer name client netns outside
ip addr add 198.51.100.1/24 dev machine; ip -6 addr add 2001:db8:1:1::1/48 dev machine nodad
ip link set machine up
ip route add 160.79.104.0/21 dev machine; ip route add 203.0.113.0/24 dev machine
ip -n outside link set lo up; ip -n outside link set client up
for address in 198.51.100.2/24 198.51.100.3/24 160.79.104.9/32; do ip -n outside addr add $address dev client; done
for address in 2001:db8:1:5::2 2001:db8:1:5::3 2001:db8:1:6::2; do ip -n outside -6 addr add $address/48 dev client nodad; done
nft -f /etc/nftables.conf
python3 /fake-server.py & until (echo >/dev/tcp/127.0.0.1/8080) 2>/dev/null; do sleep 0.02; done
cat >/usr/local/sbin/systemctl <<'UNITS'
${units}UNITS
chmod 755 /usr/local/sbin/systemctl
mcp-edge-nginx start >/dev/null
to() { case $1 in *:*) echo '[2001:db8:1:1::1]' ;; *) echo 198.51.100.1 ;; esac; }
# X25519 alone: Debian's curl hangs now and then on an HTTP/3 handshake of two packets, as X25519MLKEM768 needs.
from() { local a=$1; shift; ip netns exec outside curl -sk --curves X25519 --max-time 3 --interface "$a" --resolve "${domain}:443:$(to "$a")" "$@"; }
code() { local a=$1; shift; from "$a" -o /dev/null -w '%{http_code}\\n' --connect-timeout 1 "$@" https://${domain}/mcp || true; }
`;
