import { describe, expect, test } from "@jest/globals";
import { machineFiles } from "../../cloud-init/machine-files.ts";
import { rootWithPrograms, whyNot } from "./debian-root.ts";
import { EDGE_AND_CLIENTS } from "./edge-and-clients.ts";
import { SETTINGS } from "./fixture.ts";

/**
 * NGINX, fail2ban and nftables of Debian 13 with the machine's files, in a network namespace; the clients are in another one, with as many
 * addresses as a test needs.
 */
const { domain } = SETTINGS;

function bans() {
  /** A machine of its own for each test, since the tests wait most of their time and run at once. */
  const makeMachine = () => rootWithPrograms(machineFiles(SETTINGS), "fake-server.py", "flood.py");

  /**
   * Runs `script` on the machine. In it, beside those of EDGE_AND_CLIENTS: `guess ADDRESS COUNT PREFIX`; `banned COUNT`, which lists who
   * is banned and by which jail, after fail2ban has had time to read the logs and at least that many are banned; `codes ADDRESS...`, with
   * a `!` before those that are expected to be banned.
   */
  const onMachine = async (script: string): Promise<string[]> => {
    const root = await makeMachine();
    const commands = `
      rm -f /srv/mcp-edge/fail2ban/*; : >/var/log/fail2ban/fail2ban.log; mkdir -p /run/fail2ban
      ${EDGE_AND_CLIENTS}
      # The machine under test has no journal: sshd's jail stays out.
      sed -i '/^\\[sshd\\]/,/^enabled/s/^enabled.*/enabled = false/' /etc/fail2ban/jail.d/mcp-edge.local
      start() { fail2ban-server -b >/dev/null; until fail2ban-client ping >/dev/null 2>&1; do sleep 0.05; done; }
      start
      # Ends when the address is banned.
      guess() {
        local i
        for i in $(seq "$2"); do
          ! nft list table inet f2b-table 2>/dev/null | grep -qF "\${1%:*}" || return 0
          from "$1" --max-time 3 -o /dev/null -H "Authorization: Bearer $3$i" -A $'\\xff\\x01' https://${domain}/mcp
        done
      }
      # For several at once: a banned address waits a second for no answer.
      codes() {
        local pids=() one; rm -f /codes.*
        for one in "$@"; do
          { case $one in !*) dropped \${one#!} ;; *) code $one ;; esac; } >"/codes.$((100 + \${#pids[@]}))" & pids+=($!)
        done
        wait "\${pids[@]}"; cat /codes.*
      }
      listed() { mcp-edge-bans list | python3 -c 'import json, sys; print(*sorted("%s:%s" % (b["jail"], b["address"]) for b in json.load(sys.stdin)) or ["nobody"])'; }
      enough() { [ "$(listed | grep -o '[^ ]*:' | wc -l)" -ge "$1" ]; }
      # fail2ban knows a ban before it tells nftables.
      in_force() { local one; for one in $(listed); do one=\${one#*:}; nft list table inet f2b-table 2>/dev/null | grep -qF "\${one%:*}" || return; done; }
      banned() { sleep 2.5; within enough "$1"; [ "$1" = 0 ] || within in_force; listed; }
      ${script}
      fail2ban-client stop >/dev/null`;
    // Less than the test has.
    const { output } = await root.sh(commands, 290_000).finally(() => root.remove());
    return output.trim().split("\n");
  };

  test.concurrent("a client that repeats an expired token without end is not banned, and does not interrupt another client's stream", async () => {
    const [probes, dead, none, stream, list, after] = await onMachine(`
      # A rate that a slow host exceeds too.
      sed -i 's/rate=[0-9]*r/rate=1r/' /etc/nginx/mcp-edge/limits.conf; mcp-edge-nginx turn >/dev/null
      stream one 198.51.100.2
      from 198.51.100.2 "https://${domain}/mcp?[1-60]" -o /dev/null -w '%{http_code}\\n' | sort | uniq -c | xargs
      from 198.51.100.2 --max-time 30 -H 'Authorization: Bearer dead' "https://${domain}/mcp?[1-1000]" -o /dev/null -w '%{http_code}\\n' | sort | uniq -c | tail -n 1 | xargs
      wc -l </var/log/nginx/refused.log
      grows one; banned 0; code 198.51.100.2 -H 'Authorization: Bearer good'`);
    expect(probes).toBe("60 401");
    expect(dead).toMatch(/^\d+ 429$/);
    expect([none, stream, list, after]).toEqual(["1", "grows", "nobody", "200"]);
  }, 300_000);

  test.concurrent("a client that guesses tokens is banned on TCP and UDP, others are not, and a ban can be lifted", async () => {
    const [before, list, ...codes] = await onMachine(`
      guess 198.51.100.2 19 a; banned 0; guess 198.51.100.2 6 b; banned 1
      codes !198.51.100.2 "!198.51.100.2 --http3-only" 198.51.100.3 "198.51.100.3 --http3-only"
      mcp-edge-bans lift 198.51.100.2 | grep -c mcp-edge; code 198.51.100.2 --http3-only`);
    expect(before).toBe("nobody");
    expect(list).toBe("mcp-edge:198.51.100.2");
    expect(codes).toEqual(["000", "000", "401", "401", "1", "401"]);
  }, 300_000);

  test.concurrent("an IPv6 client is counted and banned with its /64", async () => {
    const [list, ...codes] = await onMachine(`
      guess 2001:db8:1:5::2 12 a; guess 2001:db8:1:5::3 12 b; banned 1
      codes !2001:db8:1:5::2 "!2001:db8:1:5::3 --http3-only" 2001:db8:1:6::2 198.51.100.2
      mcp-edge-bans lift 2001:db8:1:5::3 | grep -c mcp-edge; code 2001:db8:1:5::3`);
    expect(list).toBe("mcp-edge:2001:db8:1:5::/64");
    expect(codes).toEqual(["000", "000", "401", "401", "1", "401"]);
  }, 300_000);

  test.concurrent("the egress addresses of a provider are never banned, and a repeated ban is longer", async () => {
    const [list, first, , second] = await onMachine(`
      guess 160.79.104.9 30 a; banned 0 | grep -c 160
      seconds() { fail2ban-client get mcp-edge banip --with-time | sed 's/.*+ \\([0-9]*\\) =.*/\\1/'; }
      # Waits until somebody is banned (1) or nobody is (0), a minute at most.
      until_banned() { for i in $(seq 300); do [ "$(seconds | grep -c .)" = "$1" ] && return; sleep 0.2; done; }
      # fail2ban forgets a ban before it tells nftables, where guess looks.
      free() { ! nft list table inet f2b-table 2>/dev/null | grep -qF 198.51.100.2; }
      guess 198.51.100.2 25 a; until_banned 1; seconds; fail2ban-client unban --all >/dev/null; within free
      fail2ban-client set mcp-edge bantime 5; guess 198.51.100.2 25 b; until_banned 1; until_banned 0; within free
      guess 198.51.100.2 25 c; until_banned 1; seconds`);
    expect([list, first]).toEqual(["0", "600"]);
    expect(Number(second)).toBeGreaterThanOrEqual(10);
  }, 300_000);

  test.concurrent("scanners, exploits and malformed TLS are banned on TCP and UDP; lost sessions, customary paths and forged datagrams are not", async () => {
    const [none, list, ...codes] = await onMachine(`
      flood() { ip netns exec outside python3 /flood.py "$@"; }
      # What a client of MCP does, and what others could send in its name.
      for path in /mcp /.well-known/oauth-protected-resource/mcp /api/repos/gone /register /favicon.ico; do
        from 198.51.100.2 -o /dev/null "https://${domain}$path?status=404&[1-80]"; sleep 0.5
      done
      flood handshakes 198.51.100.2 60
      for i in 1 2 3 4; do from 198.51.100.2 -o /dev/null https://${domain}/.env --http3-only; done; banned 0
      for path in /.env /.git/config /wp-login.php /cgi-bin/luci /vendor/phpunit/x.php; do from 198.51.100.3 -o /dev/null "https://${domain}$path" --http3-only; done
      # Once banned it gets no answer: nobody waits for it.
      from 2001:db8:1:6::2 -o /dev/null "https://${domain}/page?status=404&[1-70]" &
      flood malformed 2001:db8:1:5::2 32; banned 3
      codes !198.51.100.3 "!198.51.100.3 --http3-only" "!2001:db8:1:6::2 --http3-only" \\
        !2001:db8:1:5::3 "!2001:db8:1:5::3 --http3-only" 198.51.100.2 "198.51.100.2 --http3-only"`);
    expect(none).toBe("nobody");
    expect(list).toBe(
      "mcp-edge-exploits:198.51.100.3 mcp-edge-handshakes:2001:db8:1:5::2 mcp-edge-scanners:2001:db8:1:6::/64",
    );
    expect(codes).toEqual(["000", "000", "000", "000", "000", "401", "401"]);
  }, 300_000);

  test.concurrent("five bans of any jail become one of a week, and a flood of refused requests is banned", async () => {
    const [recidive, seconds, flood] = await onMachine(`
      for i in 1 2 3 4 5; do
        fail2ban-client set mcp-edge banip 2001:db8:1:6::/64; until [ "$(grep -cF '[mcp-edge] Ban' /var/log/fail2ban/fail2ban.log)" -ge "$i" ]; do sleep 0.05; done
        fail2ban-client set mcp-edge unbanip 2001:db8:1:6::/64
      done >/dev/null
      banned 1; fail2ban-client get recidive banip --with-time | grep -o '+ [0-9]*'
      # Fewer lines than on the machine: the test sends fewer requests. And a rate that a slow host exceeds too.
      sed -i 's/rate=[0-9]*r/rate=1r/' /etc/nginx/mcp-edge/limits.conf; mcp-edge-nginx turn >/dev/null
      fail2ban-client set mcp-edge-limits maxretry 20 >/dev/null
      # Once banned it gets no answer: nobody waits for it.
      from 198.51.100.2 --parallel --parallel-max 10 "https://${domain}/mcp?[1-1500]" -o /dev/null & banned 2`);
    expect([recidive, seconds]).toEqual(["recidive:2001:db8:1:6::/64", "+ 604800"]);
    expect(flood).toBe("mcp-edge-limits:198.51.100.2 recidive:2001:db8:1:6::/64");
  }, 300_000);

  test.concurrent("an operator bans addresses and networks, and all bans hold while fail2ban restarts, from the start of a boot, and on a replaced machine", async () => {
    const [added, ...codes] = await onMachine(`
      # As the unit does it
      stop() { sed -n 's/^ExecStop=\\(.\\)/\\1/p' /etc/systemd/system/fail2ban.service.d/mcp-edge.conf | bash -e >/dev/null; rm -f /run/fail2ban/*; }
      rules() { nft list chain inet f2b-table f2b-chain | grep -c saddr; }
      short() { nft list set inet f2b-table addr-net-mcp-edge-scanners | grep -c 198.51.100.9; }
      guess 198.51.100.3 25 a; banned 1 >/dev/null
      add() { mcp-edge-bans add "$1" >/dev/null; }
      add 198.51.100.2; add 198.51.100.2; add 2001:db8:1:5::9; add 203.0.113.7; add 203.0.113.0/24; add 0.0.0.0/0; add here; add 127.0.0.1
      codes !198.51.100.2 "!2001:db8:1:5::2 --http3-only" 2001:db8:1:6::2
      fail2ban-client set mcp-edge-scanners bantime 4 >/dev/null; fail2ban-client set mcp-edge-scanners banip 198.51.100.9 >/dev/null
      until [ "$(short)" = 1 ]; do sleep 0.05; done; before=$(rules); stop
      codes !198.51.100.2 "!2001:db8:1:5::2 --http3-only" !198.51.100.3 2001:db8:1:6::2
      until [ "$(short)" = 0 ]; do sleep 0.2; done; start; banned 4
      echo "$(($(rules) - before)) rules more; problems: $(grep -o 'ERROR .*' /var/log/fail2ban/fail2ban.log | xargs -d '\\n')"
      codes !198.51.100.2 2001:db8:1:6::2
      fail2ban-client stop >/dev/null; nft destroy table inet f2b-table; : >/var/log/fail2ban/fail2ban.log; rm -f /var/log/nginx/*.log; kill -USR1 "$(cat /run/nginx/*/nginx.pid)"
      opened() { local name; for name in refused scanners limited handshakes; do [ -e "/var/log/nginx/$name.log" ] || return; done; }; within opened
      mcp-edge-bans restore; codes !198.51.100.2 "!2001:db8:1:5::2 --http3-only" !198.51.100.3 2001:db8:1:6::2; start; banned 4
      codes "!198.51.100.2 --http3-only" !2001:db8:1:5::2 !198.51.100.3 2001:db8:1:6::2
      mcp-edge-bans lift 198.51.100.0/24 | grep -o jail | wc -l; code 198.51.100.2; code 198.51.100.3 --http3-only; nft list tables | grep -c restored`);
    const refusals = [added, ...codes.splice(0, 2)];
    expect(refusals.join("\n")).toMatch(
      /0\.0\.0\.0\/0 is wider.*'here' is no address.*127\.0\.0\.1 is the machine itself/s,
    );
    const all =
      "mcp-edge-manual:198.51.100.2 mcp-edge-manual:2001:db8:1:5::/64 mcp-edge-manual:203.0.113.0/24 mcp-edge:198.51.100.3";
    expect(codes.splice(0, 3)).toEqual(["000", "000", "401"]);
    expect(codes.splice(0, 4)).toEqual(["000", "000", "000", "401"]);
    expect(codes.splice(0, 4)).toEqual([all, "0 rules more; problems: ", "000", "401"]);
    expect(JSON.parse(codes.shift() ?? "")).toEqual(
      expect.arrayContaining(["198.51.100.2/32", "2001:db8:1:5::/64", "203.0.113.0/24", "198.51.100.3/32"]),
    );
    expect(codes.splice(0, 4)).toEqual(["000", "000", "000", "401"]);
    expect(codes.shift()).toBe(all);
    expect(codes).toEqual(["000", "000", "000", "401", "2", "401", "401", "0"]);
  }, 300_000);
}

const reason = whyNot();

if (reason !== undefined) {
  test(`bans cannot be tried here: ${reason}`, () => {
    expect(process.env.CI).not.toBe("true");
  });
} else {
  describe("fail2ban on the machine", bans);
}
