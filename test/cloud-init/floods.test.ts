import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { machineFiles } from "../../cloud-init/machine-files.ts";
import { machineSettings } from "../../infra/settings/machine.ts";
import { parseSettings } from "../../infra/settings.ts";
import { type DebianRoot, rootWithPrograms, whyNot } from "./debian-root.ts";
import { EDGE_AND_CLIENTS } from "./edge-and-clients.ts";
import { AROUND_MACHINE, RAW, SETTINGS } from "./fixture.ts";

/** Short floods of a few clients against NGINX behind the machine's firewall, in network namespaces. */
const { domain } = SETTINGS;
const files = machineFiles(SETTINGS);
const text = (path: string) => files.find((file) => file.path === path)?.content ?? "";
const number = (path: string, pattern: RegExp) => Number(pattern.exec(text(path))?.[1]);

test("sixteen addresses at least are needed to use up the connections of a worker", () => {
  const worker = number("/etc/nginx/nginx.conf", /worker_connections (\d+);/);
  const requests = number("/etc/nginx/mcp-edge/limits.conf", /limit_conn connections (\d+);/);
  const sockets = number("/etc/nftables.conf", /ip saddr ct count over (\d+)/);
  expect(worker / (2 * requests)).toBeGreaterThanOrEqual(16);
  expect(worker / (2 * sockets)).toBeGreaterThanOrEqual(16);
  // A handshake takes some four packets; an idle QUIC connection ends after the default server's keepalive_timeout.
  const perSecond = number("/etc/nftables.conf", /ip saddr limit rate over (\d+)\/second/) / 4;
  const idle = number("/etc/nginx/mcp-edge/servers.conf", /keepalive_timeout (\d+)s;/);
  expect((2 * worker) / (perSecond * idle)).toBeGreaterThanOrEqual(16);
});

function floods() {
  let root: DebianRoot;

  beforeAll(async () => {
    root = await rootWithPrograms(files, "fake-server.py", "flood.py", "flood_http.py");
  }, 600_000);
  afterAll(() => root?.remove());

  /** In the script, beside those of EDGE_AND_CLIENTS: `flood ARGUMENT...`; `counted CHAIN NUMBER` prints what the rule of that number has dropped. */
  const onMachine = async (script: string): Promise<string[]> => {
    const { output } = await root.sh(`${EDGE_AND_CLIENTS}
      flood() { ip netns exec outside python3 /flood.py "$@"; }
      counted() { nft list chain inet mcp_edge "$1" | grep -o 'counter packets [0-9]*' | sed -n "$2s/[^0-9]*//p"; }
      ${script}`);
    return output.trim().split("\n");
  };

  test("handshakes of one source are limited, its open stream continues, and another source can connect", async () => {
    const [own, other, tcp, dropped, all] = await onMachine(`
      stream one 198.51.100.2 --http3-only
      flood handshakes 198.51.100.2 3000
      grows one; code 198.51.100.3 --http3-only; code 198.51.100.2
      counted quic_handshakes 1; counted quic_handshakes 3`);
    expect([own, other, tcp, all]).toEqual(["grows", "401", "401", "0"]);
    expect(Number(dropped)).toBeGreaterThan(2000);
  });

  test("an IPv6 source is limited by its /64", async () => {
    // Each address stays below the burst, but both together do not, at a rate that is low on a slow host too.
    const [other, dropped] = await onMachine(`
      sed 's|over 80/second burst 400 |over 1/second burst 400 |' /etc/nftables.conf | nft -f -
      flood handshakes 2001:db8:1:5::2,2001:db8:1:5::3 390
      code 2001:db8:1:6::2 --http3-only; counted quic_handshakes 2`);
    expect(other).toBe("401");
    expect(Number(dropped)).toBeGreaterThan(100);
  });

  test("handshakes of forged sources are limited in total, and streams and TCP continue", async () => {
    const [own, tcp, dropped, all] = await onMachine(`
      stream one 198.51.100.2 --http3-only
      # A tenth of the limit of all, so that a slow host exceeds it too.
      sed 's|over 4000/second burst 4000 |over 400/second burst 400 |' /etc/nftables.conf | nft -f -
      flood forged 30000
      grows one; code 198.51.100.3; counted quic_handshakes 1; counted quic_handshakes 3`);
    expect([own, tcp]).toEqual(["grows", "401"]);
    expect(Number(dropped) + Number(all)).toBeGreaterThan(5_000);
    expect(Number(all)).toBeGreaterThan(0);
  });

  test.each([
    ["198.51.100.2", "198.51.100.2", "198.51.100.3"],
    ["2001:db8:1:5::2", "2001:db8:1:5::3", "2001:db8:1:6::2"],
  ])(
    "TCP connections of %s are limited, others can connect, and closed connections free their place",
    async (address, mate, other) => {
      const [counts, refused, fine, again] = await onMachine(`
      rm -f /counts; flood tcp ${address} 600 90 >/counts 2>/dev/null & until [ -s /counts ]; do sleep 0.05; done; cat /counts
      code ${mate}; code ${other}; ip netns pids outside | xargs kill; served() { [ "$(code ${mate})" = 401 ]; }; within served; code ${mate}`);
      expect(counts).toBe("512 88");
      expect([refused, fine, again]).toEqual(["000", "401", "401"]);
    },
  );

  test("resets, CONTINUATION frames and slow clients of one address, and malformed datagrams, leave the others served and the memory bounded", async () => {
    const [tcp, http3, own, grown, again, ...outcomes] = await onMachine(`
      sed -i 's/client_header_timeout 15s/client_header_timeout 2s/' /etc/nginx/nginx.conf; mcp-edge-nginx turn >/dev/null
      http() { local kind=$1; shift; ip netns exec outside python3 /flood_http.py "$kind" 198.51.100.2 198.51.100.1 ${domain} "$@"; }
      memory() { ps -C nginx -o rss= | awk '{ all += $1 } END { print int(all / 1024) }'; }
      before=$(memory); stream one 198.51.100.3 --http3-only
      http reset 20 >/reset & floods=$!; http continuation 40 >/continuation & floods+=" $!"
      http headers 100 60 >/headers & floods+=" $!"; http silent 100 60 >/silent & floods+=" $!"
      flood datagrams 198.51.100.2 20000 & floods+=" $!"; sleep 1
      code 198.51.100.3; code 198.51.100.3 --http3-only; grows one; wait $floods
      echo $(($(memory) - before)) >/grown; sed -i 's/client_header_timeout 2s/client_header_timeout 15s/' /etc/nginx/nginx.conf
      cat /grown; code 198.51.100.2; cat /headers /silent /reset /continuation`);
    const [headers, silent, reset, continuation] = outcomes.map((line) => JSON.parse(line));
    expect([tcp, http3, own, again]).toEqual(["401", "401", "grows", "401"]);
    expect(Number(grown)).toBeLessThan(100);
    for (const slow of [headers, silent]) expect(slow).toMatchObject({ closed: 100, open: 0 });
    // NGINX closes such a connection, again and again.
    expect(reset).toEqual({ closed: 20, sent: expect.any(Number) });
    expect(continuation).toEqual({ closed: 40, sent: expect.any(Number) });
  });

  test("trusted proxies and the services of providers have no limit of connections, and the PROXY protocol is read from trusted proxies alone", async () => {
    const proxied = machineFiles(
      machineSettings(
        parseSettings({ ...RAW, trustedProxies: '["198.51.100.2/32"]', proxyProtocol: "true" }, "prod"),
        AROUND_MACHINE,
      ),
    );
    for (const { path, content, mode } of proxied) root.write(path, content, Number.parseInt(mode, 8));
    try {
      const [flood, provider, ...rest] = await onMachine(`
        for address in 198.51.100.2 160.79.104.9; do flood tcp $address 600 0; done
        header='--haproxy-clientip 192.0.2.9'
        code 198.51.100.2 $header; code 198.51.100.2 $header --http1.1; code 198.51.100.2; code 198.51.100.2 --http3-only
        code 198.51.100.3; code 198.51.100.3 $header
        from 198.51.100.2 $header --resolve ${domain}:80:198.51.100.1 -o /dev/null -w '%{http_code}\\n' http://${domain}/x
        mcp-edge-nginx turn >/dev/null; code 198.51.100.2 $header
        within lines var/log/nginx/access.log 6 # NGINX writes a line after the answer
        grep -oE '"address":"[^"]*","status":[0-9]+' /var/log/nginx/access.log | sort | uniq -c`);
      expect([flood, provider]).toEqual(["600 0", "600 0"]);
      expect(rest.slice(0, 8)).toEqual(["401", "401", "000", "401", "401", "000", "308", "401"]);
      expect(rest.slice(8).map((line) => line.trim())).toEqual([
        '1 "address":"192.0.2.9","status":308',
        '3 "address":"192.0.2.9","status":401',
        '1 "address":"198.51.100.2","status":401',
        '1 "address":"198.51.100.3","status":400',
        '1 "address":"198.51.100.3","status":401',
      ]);
    } finally {
      for (const { path, content, mode } of files) root.write(path, content, Number.parseInt(mode, 8));
    }
  });
}

const reason = whyNot();

if (reason !== undefined) {
  test(`floods cannot be tried here: ${reason}`, () => {
    expect(process.env.CI).not.toBe("true");
  });
} else {
  describe("floods", floods);
}
