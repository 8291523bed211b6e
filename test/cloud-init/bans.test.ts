import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { machineFiles } from "../../cloud-init/machine-files.ts";
import { EDGE_AND_CLIENTS } from "./edge-and-clients.ts";
import { SETTINGS } from "./fixture.ts";
import { JudgeRoot, whyNot } from "./judge-root.ts";

/**
 * NGINX, fail2ban and nftables of Debian 13 with the machine's files, in a network namespace; the clients are in another one, with as many
 * addresses as a test needs.
 */
const { domain } = SETTINGS;

function bans() {
  let root: JudgeRoot;

  beforeAll(async () => {
    root = await JudgeRoot.create(machineFiles(SETTINGS));
    root.write("/fake-server.py", readFileSync(join(import.meta.dirname, "fake-server.py")));
    await root.sh("mcp-edge-cert bootstrap");
  }, 600_000);
  afterAll(() => root?.remove());

  /**
   * Runs `script` on the machine. In it, beside those of EDGE_AND_CLIENTS: `guess ADDRESS COUNT PREFIX`, and `banned` (what fail2ban has
   * banned, after it has read the log).
   */
  const onMachine = async (script: string): Promise<string[]> => {
    const { output } = await root.sh(`
      rm -f /var/lib/fail2ban/*; mkdir -p /run/fail2ban
      ${EDGE_AND_CLIENTS}
      # The machine under test has no journal: sshd's jail stays out.
      sed -i '/^\\[sshd\\]/,/^enabled/s/^enabled.*/enabled = false/' /etc/fail2ban/jail.d/mcp-edge.local
      fail2ban-server -b >/dev/null; until fail2ban-client ping >/dev/null 2>&1; do sleep 0.05; done
      guess() { for i in $(seq "$2"); do from "$1" -o /dev/null -H "Authorization: Bearer $3$i" -A $'\\xff\\x01' https://${domain}/mcp; done; }
      banned() { sleep 2.5; fail2ban-client banned; }
      ${script}
      fail2ban-client stop >/dev/null; nginx -s stop 2>/dev/null`);
    return output.trim().split("\n");
  };

  test("a client that repeats an expired token without end is not banned, and does not interrupt another client's stream", async () => {
    const [probes, dead, none, stream, list, after] = await onMachine(`
      from 198.51.100.2 --max-time 60 -N -H 'Authorization: Bearer good' https://${domain}/stream >/stream &
      from 198.51.100.2 "https://${domain}/mcp?[1-60]" -o /dev/null -w '%{http_code}\\n' | sort | uniq -c | xargs
      from 198.51.100.2 --max-time 30 -H 'Authorization: Bearer dead' "https://${domain}/mcp?[1-1000]" -o /dev/null -w '%{http_code}\\n' | sort | uniq -c | tail -n 1 | xargs
      wc -l </var/log/nginx/refused.log
      lines=$(wc -l </stream); sleep 1; [ "$(wc -l </stream)" -gt "$lines" ] && echo goes on
      banned; code 198.51.100.2 -H 'Authorization: Bearer good'`);
    expect(probes).toBe("60 401");
    expect(dead).toMatch(/^\d+ 429$/);
    expect([none, stream, list, after]).toEqual(["1", "goes on", "[{'mcp-edge': []}]", "200"]);
  }, 120_000);

  test("a client that guesses tokens is banned on TCP and UDP, others are not, and a ban can be lifted", async () => {
    const [before, list, ...codes] = await onMachine(`
      guess 198.51.100.2 19 a; banned; guess 198.51.100.2 6 b; banned
      code 198.51.100.2; code 198.51.100.2 --http3-only; code 198.51.100.3; code 198.51.100.3 --http3-only
      fail2ban-client unban 198.51.100.2; code 198.51.100.2 --http3-only`);
    expect(before).toBe("[{'mcp-edge': []}]");
    expect(list).toBe("[{'mcp-edge': ['198.51.100.2']}]");
    expect(codes).toEqual(["000", "000", "401", "401", "1", "401"]);
  }, 120_000);

  test("an IPv6 client is counted and banned with its /64", async () => {
    const [list, ...codes] = await onMachine(`
      guess 2001:db8:1:5::2 12 a; guess 2001:db8:1:5::3 12 b; banned
      code 2001:db8:1:5::2; code 2001:db8:1:5::3 --http3-only; code 2001:db8:1:6::2; code 198.51.100.2
      fail2ban-client unban 2001:db8:1:5::/64; code 2001:db8:1:5::3`);
    expect(list).toBe("[{'mcp-edge': ['2001:db8:1:5::/64']}]");
    expect(codes).toEqual(["000", "000", "401", "401", "1", "401"]);
  }, 120_000);

  test("the egress addresses of a provider are never banned, and a repeated ban is longer", async () => {
    const [list, first, , second] = await onMachine(`
      guess 160.79.104.9 30 a; banned | grep -c 160
      seconds() { fail2ban-client get mcp-edge banip --with-time | sed 's/.*+ \\([0-9]*\\) =.*/\\1/'; }
      # Waits until somebody is banned (1) or nobody is (0), a minute at most.
      until_banned() { for i in $(seq 300); do [ "$(seconds | grep -c .)" = "$1" ] && return; sleep 0.2; done; }
      guess 198.51.100.2 20 a; until_banned 1; seconds; fail2ban-client unban --all >/dev/null
      fail2ban-client set mcp-edge bantime 5; guess 198.51.100.2 20 b; until_banned 1; until_banned 0
      guess 198.51.100.2 20 c; until_banned 1; seconds`);
    expect([list, first]).toEqual(["0", "600"]);
    expect(Number(second)).toBeGreaterThanOrEqual(10);
  }, 120_000);
}

const reason = whyNot();

if (reason !== undefined) {
  test(`bans cannot be tried here: ${reason}`, () => {
    expect(process.env.CI).not.toBe("true");
  });
} else {
  describe("fail2ban on the machine", bans);
}
