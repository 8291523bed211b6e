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
   * In the script, beside those of EDGE_AND_CLIENTS: `turn`; `aged N TIME` makes generation N look as if it had been replaced that time ago.
   */
  const onMachine = async (script: string): Promise<string[]> => {
    const { output } = await root.sh(`${EDGE_AND_CLIENTS}
      turn() { mcp-edge-nginx turn >/dev/null; }
      aged() { touch -d "-$2" "/run/nginx/$1/replaced"; }
      ${script}`);
    return output.trim().split("\n");
  };

  test("a turn ends no stream over HTTP/1.1, HTTP/2 and HTTP/3, IPv4 and IPv6, new connections get the new files, and a failed turn costs nothing", async () => {
    const [before, after, ...rest] = await onMachine(`
      stream one 198.51.100.2 --http1.1; stream two 198.51.100.2 --http2; stream three 198.51.100.2 --http3-only
      stream four 2001:db8:1:5::2 --http2; stream five 2001:db8:1:5::2 --http3-only; grows one two three four five
      sed -i 's/max-age=63072000/max-age=7/' /etc/nginx/mcp-edge/servers.conf; turn; turn; turn; grows one two three four five
      age() { from "$@" -o /dev/null -w '%header{strict-transport-security} %header{alt-svc}\\n' https://${domain}/mcp; }
      age 198.51.100.3; age 198.51.100.3 --http3-only; age 2001:db8:1:6::2; age 2001:db8:1:6::2 --http3-only
      tail -n 1 /var/log/nginx/access.log | grep -o '"address":"[^"]*"'
      curl -sk --resolve ${domain}:443:198.51.100.1 -o /dev/null -w '%header{strict-transport-security}\\n' https://${domain}/mcp
      from 198.51.100.3 --resolve ${domain}:80:198.51.100.1 -o /dev/null -w '%{redirect_url}\\n' http://${domain}/x
      sed -i 's/http2 on/http2 maybe/' /etc/nginx/mcp-edge/tls.conf
      mcp-edge-nginx turn 2>/refused; code=$?; grep -o 'invalid value "maybe"' /refused; echo $code
      sed -i 's/http2 maybe/http2 on/' /etc/nginx/mcp-edge/tls.conf
      python3 -c 'import socket, time; s = socket.create_server(("127.0.0.1", 745)); time.sleep(100)' & until ss -Hltn sport 745 | grep -q .; do sleep 0.02; done
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
  });

  test("a replaced generation ends when it has no connections, or after its time, and leaves no flow behind", async () => {
    const [busy, idle, late, same] = await onMachine(`
      same() { code 198.51.100.2 --http3-only --local-port 5000; }
      stream one 198.51.100.3 --http2; same >/dev/null; turn
      left() { mcp-edge-nginx reap >/dev/null; mcp-edge-nginx status | sed 's/^generation \\([0-9]*\\).*/\\1/' | xargs; }
      # NGINX counts a connection until it has noticed its end, even that of the question how many it has.
      is_left() { [ "$(left)" = "$1" ]; }
      aged 1 '1 hour'; left; turn; aged 2 '1 hour'; within is_left '1 3'; left; aged 1 '13 hours'; left
      # The port of the client is the same, and its flow was the first generation's.
      same`);
    expect([busy, idle, late, same]).toEqual(["1 2", "1 3", "3", "401"]);
  });

  test("a client whose port changes, or whose flow is forgotten, is reset at once and connects again", async () => {
    // The client is the first to send on the forgotten flow, since the generation that has it is stopped meanwhile.
    const [changed, forgotten, streams, after] = await onMachine(`
      ip netns exec outside python3 /relay.py & relay=$!; until ip netns exec outside ss -Hlun sport 443 | grep -q .; do sleep 0.02; done
      stream one 198.51.100.2 --http3-only; stream two 198.51.100.2 --http2
      # NAME ADDRESS...: two requests on one connection, the second one after the client is continued, at the earliest 7.5 s after the first.
      twice() {
        local name=$1; shift
        from "$@" --http3-only --rate 8/m "https://${domain}/mcp?[1-2]" -o /dev/null -w '%{stderr}%{http_code}:%{num_connects} ' 2>"/$name" &
        until [ -s "/$name" ]; do sleep 0.02; done; kill -STOP $(pgrep -P $!); clients+=" $!"
      }
      clients=; twice changed 198.51.100.2 --resolve ${domain}:443:127.0.0.1 --interface lo; twice forgotten 198.51.100.2
      turn; kill -USR1 $relay; grows one two >/streams
      workers=$(pgrep -P "$(cat /run/nginx/1/nginx.pid)"); kill -STOP $workers; conntrack -F 2>/dev/null
      for client in $clients; do kill -CONT $(pgrep -P $client); done
      wait $clients; kill -CONT $workers; cat /changed; echo; cat /forgotten; echo; cat /streams; grows one two`);
    expect([changed, forgotten]).toEqual(["401:1 401:1 ", "401:1 401:1 "]);
    // Where NGINX is the first to send, the connections go on.
    expect([streams, after]).toEqual(["grows grows", "grows grows"]);
  });

  test("a ban holds through a turn and a reload of the firewall, and a flood of forged sources adds few tracked flows", async () => {
    const [long, short, stream, ...codes] = await onMachine(`
      stream one 198.51.100.3 --http3-only
      flood() { local flows at; flows=$(conntrack -C) at=$(date +%s%3N); ip netns exec outside python3 /flood.py "$@"; echo $(($(conntrack -C) - flows)) $(($(date +%s%3N) - at)); }
      flood forged 20000; flood short 20000; grows one
      rm -f /var/lib/fail2ban/*; mkdir -p /run/fail2ban
      sed -i '/^\\[sshd\\]/,/^enabled/s/^enabled.*/enabled = false/' /etc/fail2ban/jail.d/mcp-edge.local
      fail2ban-server -b >/dev/null; until fail2ban-client ping >/dev/null 2>&1; do sleep 0.05; done
      fail2ban-client set mcp-edge banip 198.51.100.2 2001:db8:1:5::/64 >/dev/null
      bans() { [ "$(nft list table inet f2b-table 2>/dev/null | grep -cE '198.51.100.2|2001:db8:1:5::')" -ge 2 ]; }; within bans; turn; nft -f /etc/nftables.conf
      dropped 198.51.100.2; dropped 198.51.100.2 --http3-only; dropped 2001:db8:1:5::2 --http3-only
      code 198.51.100.3; code 198.51.100.3 --http3-only; code 2001:db8:1:6::2 --http3-only
      fail2ban-client stop >/dev/null`);
    // 1,000 and 200 at once, and as many a second while the flood lasts. A few flows are of the stream and of the machine itself.
    for (const [flood, rate] of [
      [long, 1_000],
      [short, 200],
    ] as const) {
      const [flows = Number.NaN, ms = 0] = (flood ?? "").split(" ").map(Number);
      expect(flows).toBeLessThan(rate * (1 + ms / 1_000) + 20);
    }
    expect([stream, ...codes]).toEqual(["grows", "000", "000", "000", "401", "401", "401"]);
  });
}

const reason = whyNot();

if (reason !== undefined) {
  test(`generations cannot be tried here: ${reason}`, () => {
    expect(process.env.CI).not.toBe("true");
  });
} else {
  describe("generations of NGINX", generations);
}
