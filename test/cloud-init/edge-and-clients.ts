import { readFileSync } from "node:fs";
import { join } from "node:path";
import { SETTINGS } from "./fixture.ts";

const { domain } = SETTINGS;
const units = readFileSync(join(import.meta.dirname, "fake-generations.sh"), "utf8");

/**
 * Shell for EDGE_AND_CLIENTS and `passthroughNetwork`: clients. They wait for what is expected, so a slow host only takes longer.
 *
 * - `from ADDRESS CURL-ARGUMENT...`
 * - `code ADDRESS [CURL-ARGUMENT...]` prints the status of GET /mcp, or 000 without a response.
 * - `dropped ADDRESS [CURL-ARGUMENT...]`: the same for an address whose packets are expected to be dropped, within a second.
 * - `stream NAME ADDRESS [CURL-ARGUMENT...]` opens a stream into /NAME, and returns when its first event is there. curl's exit code is in /NAME.end.
 * - `grows NAME...` prints of each stream whether it goes on.
 * - `within COMMAND...` repeats a command until it succeeds, for a minute at most.
 */
export const CLIENTS = `
to() { case $1 in *:*) echo '[2001:db8:1:1::1]' ;; *) echo 198.51.100.1 ;; esac; }
# X25519 alone: Debian's curl hangs now and then on an HTTP/3 handshake of two packets, as X25519MLKEM768 needs.
from() { local a=$1; shift; ip netns exec outside curl -sk --curves X25519 --max-time 30 --interface "$a" --resolve "${domain}:443:$(to "$a")" --resolve "${domain}:80:$(to "$a")" "$@"; }
code() { local a=$1; shift; from "$a" -o /dev/null -w '%{http_code}\\n' "$@" https://${domain}/mcp || true; }
dropped() { code "$@" --max-time 1; }
within() { local end=$((SECONDS + 60)); until "$@"; do [ $SECONDS -lt $end ] || return; sleep 0.05; done; }
lines() { [ "$(wc -l <"/$1")" -gt "$2" ]; }
stream() {
  local name=$1; shift; : >"/$name"; rm -f "/$name.end"
  { from "$@" --max-time 0 -N -H 'Authorization: Bearer good' https://${domain}/stream >"/$name"; echo $? >"/$name.end"; } &
  within lines "$name" 0
}
# Events that were on their way still arrive on a stream that has stopped: several have to come.
grows() {
  local name; for name; do wc -l <"/$name" >"/$name.lines"; done
  for name; do if within lines "$name" $(($(cat "/$name.lines") + 6)); then echo grows; else echo stopped; fi; done | xargs
}
`;

/**
 * Shell for `DebianRoot.sh`: a generation of NGINX and the firewall with the machine's files, /fake-server.py behind them, and clients with several addresses
 * in a network namespace `outside`. Everything ends with the namespaces of the command.
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
${CLIENTS}`;
