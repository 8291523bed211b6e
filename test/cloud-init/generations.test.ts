import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { machineFiles } from "../../cloud-init/machine-files.ts";
import { type DebianRoot, rootWithPrograms, whyNot } from "./debian-root.ts";
import { EDGE_AND_CLIENTS } from "./edge-and-clients.ts";
import { SETTINGS } from "./fixture.ts";

/** NGINX's generations behind the machine's firewall, in network namespaces. test/machine/edge.test.ts has them under systemd. */
const { domain } = SETTINGS;

function generations() {
  let root: DebianRoot;

  beforeAll(async () => {
    root = await rootWithPrograms(machineFiles(SETTINGS), "fake-server.py", "flood.py", "relay.py");
  }, 600_000);
  afterAll(() => root?.remove());

  /**
   * In the script: `stream NAME ADDRESS [CURL-ARGUMENT...]` opens a stream into /NAME; `grows NAME...` says of each whether it goes on;
   * `turn`; `aged N TIME` makes generation N look as if it had been replaced that time ago.
   */
  const onMachine = async (script: string): Promise<string[]> => {
    const { output } = await root.sh(`${EDGE_AND_CLIENTS}
      stream() { local name=$1; shift; from "$@" --max-time 40 -N -H 'Authorization: Bearer good' https://${domain}/stream >"/$name"; echo $? >"/$name.end"; }
      grows() { local name; for name; do wc -l <"/$name" >"/$name.lines"; done; sleep 0.5
        for name; do if [ "$(wc -l <"/$name")" -gt "$(cat "/$name.lines")" ]; then echo grows; else echo stopped; fi; done | xargs; }
      turn() { mcp-edge-nginx turn >/dev/null; }
      aged() { touch -d "-$2" "/run/nginx/$1/replaced"; }
      ${script}`);
    return output.trim().split("\n");
  };

  test("a turn ends no stream over HTTP/1.1, HTTP/2 and HTTP/3, IPv4 and IPv6, new connections get the new files, and a failed turn costs nothing", async () => {
    const [before, after, ...rest] = await onMachine(`
      stream one 198.51.100.2 --http1.1 & stream two 198.51.100.2 --http2 & stream three 198.51.100.2 --http3-only &
      stream four 2001:db8:1:5::2 --http2 & stream five 2001:db8:1:5::2 --http3-only &
      sleep 0.7; grows one two three four five
      sed -i 's/max-age=63072000/max-age=7/' /etc/nginx/mcp-edge/servers.conf; turn; turn; turn; grows one two three four five
      age() { from "$@" -o /dev/null -w '%header{strict-transport-security} %header{alt-svc}\\n' https://${domain}/mcp; }
      age 198.51.100.3; age 198.51.100.3 --http3-only; age 2001:db8:1:6::2; age 2001:db8:1:6::2 --http3-only
      tail -n 1 /var/log/nginx/access.log | grep -o '"address":"[^"]*"'
      curl -sk --resolve ${domain}:443:198.51.100.1 -o /dev/null -w '%header{strict-transport-security}\\n' https://${domain}/mcp
      from 198.51.100.3 --resolve ${domain}:80:198.51.100.1 -o /dev/null -w '%{redirect_url}\\n' http://${domain}/x
      sed -i 's/http2 on/http2 maybe/' /etc/nginx/mcp-edge/tls.conf
      mcp-edge-nginx turn 2>/refused; code=$?; grep -o 'invalid value "maybe"' /refused; echo $code
      sed -i 's/http2 maybe/http2 on/' /etc/nginx/mcp-edge/tls.conf
      python3 -c 'import socket, time; s = socket.create_server(("127.0.0.1", 745)); time.sleep(30)' & sleep 0.3
      mcp-edge-nginx turn 2>&1 | grep -o 'generation 5 was not used'
      grows one two three four five; code 198.51.100.3 --http3-only
      mcp-edge-nginx status | sed 's/replaced .*/replaced/'`);
    const all = "grows grows grows grows grows";
    const headers = 'max-age=7 h3=":443"; ma=86400';
    expect([before, after]).toEqual([all, all]);
    expect(rest).toEqual([
      ...Array(4).fill(headers),
      '"address":"2001:db8:1:6::2"',
      "max-age=7",
      `https://${domain}/x`,
      'invalid value "maybe"',
      "1",
      "generation 5 was not used",
      all,
      "401",
      expect.stringMatching(/^generation 1: [1-9]\d* connections, replaced$/),
      "generation 2: 0 connections, replaced",
      "generation 3: 0 connections, replaced",
      expect.stringMatching(/^generation 4: \d+ connections, has the new flows$/),
    ]);
  }, 60_000);

  test("a replaced generation ends when it has no connections, or after its time, and leaves no flow behind", async () => {
    const [busy, idle, late, same] = await onMachine(`
      same() { code 198.51.100.2 --http3-only --local-port 5000; }
      stream one 198.51.100.3 --http2 & sleep 0.7; same >/dev/null; turn
      left() { mcp-edge-nginx reap >/dev/null; mcp-edge-nginx status | sed 's/^generation \\([0-9]*\\).*/\\1/' | xargs; }
      aged 1 '1 hour'; left; turn; aged 2 '1 hour'; left; aged 1 '13 hours'; left
      # The port of the client is the same, and its flow was the first generation's.
      same`);
    expect([busy, idle, late, same]).toEqual(["1 2", "1 3", "3", "401"]);
  }, 60_000);

  test("a client whose port changes, or whose flow is forgotten, is reset at once and connects again", async () => {
    const [changed, streams, reset, tcp] = await onMachine(`
      ip netns exec outside python3 /relay.py & relay=$!; sleep 0.3
      ip netns exec outside curl -sk --curves X25519 --max-time 9 --http3-only --resolve ${domain}:443:127.0.0.1 --rate 20/m \
        "https://${domain}/mcp?[1-2]" -o /dev/null -w '%{http_code}:%{num_connects} ' >/relayed & client=$!
      stream one 198.51.100.2 --http3-only & stream two 198.51.100.2 --http2 & sleep 0.7
      turn; kill -USR1 $relay; wait $client; xargs </relayed; grows one two
      conntrack -F 2>/dev/null
      for i in $(seq 40); do [ ! -s /one.end ] || break; sleep 0.1; done; cat /one.end; grows two`);
    expect([changed, streams]).toEqual(["401:1 401:1", "grows grows"]);
    // curl's "failure in receiving network data", instead of a timeout. A TCP connection goes on.
    expect([reset, tcp]).toEqual(["56", "grows"]);
  }, 60_000);

  test("a ban holds through a turn and a reload of the firewall, and a flood of forged sources adds few tracked flows", async () => {
    const [long, short, stream, ...codes] = await onMachine(`
      stream one 198.51.100.3 --http3-only & sleep 0.7
      flood() { local before; before=$(conntrack -C); ip netns exec outside python3 /flood.py "$@"; echo $(($(conntrack -C) - before)); }
      flood forged 20000; flood short 20000; grows one
      rm -f /var/lib/fail2ban/*; mkdir -p /run/fail2ban
      sed -i '/^\\[sshd\\]/,/^enabled/s/^enabled.*/enabled = false/' /etc/fail2ban/jail.d/mcp-edge.local
      fail2ban-server -b >/dev/null; until fail2ban-client ping >/dev/null 2>&1; do sleep 0.05; done
      fail2ban-client set mcp-edge banip 198.51.100.2 2001:db8:1:5::/64 >/dev/null; sleep 0.3; turn; nft -f /etc/nftables.conf
      code 198.51.100.2; code 198.51.100.2 --http3-only --max-time 1; code 2001:db8:1:5::2 --http3-only --max-time 1
      code 198.51.100.3; code 198.51.100.3 --http3-only; code 2001:db8:1:6::2 --http3-only
      fail2ban-client stop >/dev/null`);
    // 1,000 and 200 at once, and as many a second while the flood lasts.
    expect(Number(long)).toBeLessThan(10_000);
    expect(Number(short)).toBeLessThan(4_000);
    expect([stream, ...codes]).toEqual(["grows", "000", "000", "000", "401", "401", "401"]);
  }, 60_000);
}

const reason = whyNot();

if (reason !== undefined) {
  test(`generations cannot be tried here: ${reason}`, () => {
    expect(process.env.CI).not.toBe("true");
  });
} else {
  describe("generations of NGINX", generations);
}
