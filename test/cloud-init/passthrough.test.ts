import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { machineFiles } from "../../cloud-init/machine-files.ts";
import { rolesOf } from "../../cloud-init/topology.ts";
import { DebianRoot, whyNot } from "./debian-root.ts";
import { passthrough } from "./fixture.ts";
import { NETWORK_FILES, passthroughNetwork } from "./passthrough-network.ts";

/** An edge that passes connections on, and an origin with Caddy, in network namespaces. */
const { domain } = passthrough("kernel");
const FAMILIES = ["198.51.100.2", "2001:db8:1:5::2"];
const PROTOCOLS = ["HTTP/1.1", "HTTP/2.0", "HTTP/3.0"];

function forwarding() {
  let root: DebianRoot;

  beforeAll(async () => {
    root = await DebianRoot.create(NETWORK_FILES);
    for (const name of ["fake-server.py", "relay.py"])
      root.write(`/${name}`, readFileSync(join(import.meta.dirname, name)));
  }, 600_000);
  afterAll(() => root?.remove());

  test("Debian accepts the files of both machines, and their units are sandboxed", async () => {
    // Those of an origin on AWS, which may read Caddy's store.
    const settings = { ...passthrough("kernel"), aws: { metrics: true, logs: true } };
    for (const { path, content } of machineFiles(settings, rolesOf("passthrough", "origin")))
      if (/mcp-edge-(pull|metrics)\.service/.test(path)) root.write(path, content);
    const score = (unit: string, most: number) =>
      `systemd-analyze security --offline=true --threshold=${most} --no-pager ${unit} >/score || { echo ${unit}; tail -n 1 /score; }`;
    const { output } = await root.sh(`
      nft -c -f /etc/nftables.conf; nft -c -f /kernel/etc/nftables.conf; nft -c -f /nginx/etc/nftables.conf
      nginx -t -q -c /nginx/etc/nginx/nginx.conf
      caddy validate --config /etc/caddy/Caddyfile 2>&1 | tail -n 1
      caddy fmt --diff /etc/caddy/Caddyfile | grep -c '^[-+]'
      mkdir -p /run/fail2ban; fail2ban-client -t
      cp -r /nginx/etc/systemd/system/. /etc/systemd/system/
      systemd-analyze verify --man=no caddy.service caddy@1.service mcp-edge-caddy.service mcp-edge-restore-bans.service nginx.service mcp-edge-transparent.service mcp-edge-report.service
      ${score("caddy.service", 30)}
      ${score("caddy@1.service", 20)}
      ${score("mcp-edge-caddy.service", 20)}
      ${score("mcp-edge-restore-bans.service", 20)}
      ${score("mcp-edge-pull.service", 20)}
      ${score("mcp-edge-metrics.service", 20)}
      ${score("nginx.service", 30)}
      ${score("mcp-edge-transparent.service", 20)}`);
    expect(output.trim().split("\n")).toEqual([
      "Valid configuration",
      "0",
      "OK: configuration test is successful",
    ]);
  });

  test("Caddy's options hold for each of its listeners: early data is off, and requests have limits", async () => {
    const { output } = await root.sh("caddy adapt --config /etc/caddy/Caddyfile 2>/dev/null");
    const adapted = JSON.parse(output);
    expect(adapted.admin).toMatchObject({ disabled: true });
    const servers: { listen: string[] }[] = Object.values(adapted.apps.http.servers);
    expect(servers.map(({ listen }) => listen)).toEqual([[":443"], [":80"]]);
    for (const server of servers)
      expect(server).toMatchObject({
        allow_0rtt: false,
        max_header_bytes: 32_000,
        read_header_timeout: 15e9,
        protocols: ["h1", "h2", "h3"],
        strict_sni_host: true,
      });
    // A generation that ends tells each client of HTTP/3 (RFC 9000, section 10.2).
    expect(adapted.apps.http.grace_period).toBe(3e9);
  });

  test("a certificate comes from the authority of the settings alone, by port 80, as the CAA record says", async () => {
    const { output } = await root.sh("caddy adapt --config /etc/caddy/Caddyfile 2>/dev/null");
    const { policies } = JSON.parse(output).apps.tls.automation;
    expect(policies.flatMap(({ issuers }: { issuers?: unknown[] }) => issuers ?? [])).toEqual([
      {
        module: "acme",
        ca: "https://acme-v02.api.letsencrypt.org/directory",
        email: "ops@example.com",
        challenges: { "tls-alpn": { disabled: true } },
      },
    ]);
  });

  test("Caddy's own errors are JSON, JSON-RPC on /mcp, with the headers of every response", async () => {
    const { output } = await root.sh(`${passthroughNetwork("kernel")}
      show() { from 198.51.100.2 -w '\\n%{http_code} %header{alt-svc} %header{strict-transport-security} %header{retry-after}\\n' "$@" | sed 's/"request_id":"[0-9a-f-]*"/ID/'; }
      show https://${domain}/.env; show https://${domain}/admin
      head -c 600000 /dev/zero >/big; show --data-binary @/big https://${domain}/mcp
      for version in --http1.1 --http2 --http3-only; do show $version -H 'Host: other.example' https://${domain}/mcp; done
      from 198.51.100.2 --resolve other.example:443:198.51.100.1 -o /dev/null https://other.example/; echo $?
      from 198.51.100.2 --resolve other.example:80:198.51.100.1 -o /dev/null http://other.example/; echo $?
      kill $server; wait $server; show -H 'Origin: http://localhost:1' https://${domain}/mcp`);
    const headers = (status: number, retry = "") => `${status} h3=":443"; ma=86400 max-age=63072000 ${retry}`;
    expect(
      output
        .trimEnd()
        .split("\n")
        .map((line) => line.trimEnd()),
    ).toEqual([
      '{"error":"Not found; the MCP endpoint is /mcp",ID}',
      headers(404).trimEnd(),
      '{"error":"Not found; the MCP endpoint is /mcp",ID}',
      headers(404).trimEnd(),
      '{"jsonrpc":"2.0","error":{"code":-32000,"message":"The request body is too large: at most 256 KiB are taken","data":{ID}},"id":null}',
      headers(413).trimEnd(),
      ...PROTOCOLS.flatMap(() => [
        `{"jsonrpc":"2.0","error":{"code":-32000,"message":"This server does not serve the host that the request names; the MCP endpoint is https://${domain}/mcp","data":{ID}},"id":null}`,
        headers(421).trimEnd(),
      ]),
      "35",
      "52",
      '{"jsonrpc":"2.0","error":{"code":-32000,"message":"The server does not answer; it may be restarting. Try again in 2 s","data":{ID,"retry_after":2}},"id":null}',
      headers(502, "2"),
    ]);
  });

  test("a GET that was open when the server died is sent once more, a POST is not", async () => {
    const { output } = await root.sh(`${passthroughNetwork("kernel")}
      for version in --http1.1 --http2 --http3-only; do from 198.51.100.2 $version -o /dev/null -w '%{http_code}\\n' "https://${domain}/mcp?as=$version&?dies"; done
      from 198.51.100.2 -o /dev/null -w '%{http_code} %header{retry-after}\\n' -d '{}' "https://${domain}/mcp?dies"
      ip netns exec outside openssl s_client -connect 198.51.100.1:443 -servername ${domain} -groups X25519MLKEM768 </dev/null 2>/dev/null | sed -n 's/^Negotiated TLS1.3 group: //p'`);
    expect(output.trim().split("\n")).toEqual(["401", "401", "401", "502 2", "X25519MLKEM768"]);
  });

  test("a log that is too large is rotated: a replaced generation writes into the emptied file, and fail2ban reads it", async () => {
    const { output } = await root.sh(`
      sed -i 's/maxsize 50M/maxsize 500k/' /etc/logrotate.d/caddy; mkdir -p /var/lib/logrotate; rm -f /var/lib/logrotate/*
      rotate() { $(sed -n 's/^ExecStart=//p' /etc/systemd/system/mcp-edge-logrotate.service.d/caddy.conf | tail -n 1) $*; }
      ${passthroughNetwork("kernel")}
      rm -f /srv/mcp-edge/fail2ban/*; sed -i -e '/^\\[sshd\\]/,/^enabled/s/^enabled.*/enabled = false/' -e 's/^maxretry = .*/maxretry = 3/' /etc/fail2ban/jail.d/mcp-edge.local
      fail2ban-server -b >/dev/null; until fail2ban-client ping >/dev/null 2>&1; do sleep 0.05; done
      counted() { [ "$(fail2ban-client status mcp-edge-exploits | sed -n 's/.*Total failed:\\s*//p')" = "$1" ]; }
      is_banned() { [ -n "$(fail2ban-client get mcp-edge-exploits banip)" ]; }
      log=/var/log/caddy/access.log; stream one 198.51.100.2 --http1.1 2>/dev/null; turn
      from 198.51.100.2 -o /dev/null "https://${domain}/mcp?[1-1500]"
      for n in 1 2; do from 198.51.100.9 -o /dev/null https://${domain}/.git/config; done; within counted 2
      rotate -f; rotate; wc -l <$log
      from 198.51.100.9 -o /dev/null https://${domain}/.git/config; within grep -q /.git/config $log
      ip netns pids outside | xargs kill; within grep -q /stream $log; within is_banned; fail2ban-client get mcp-edge-exploits banip
      stat -c '%U %G %a' $log; ls /var/log/caddy | grep access | xargs
      python3 -c 'import json, sys; print(*(json.loads(line)["request"]["uri"] for line in sys.stdin))' <$log
      fail2ban-client stop >/dev/null`);
    expect(output.trim().split("\n")).toEqual([
      "0",
      "198.51.100.9",
      "caddy adm 640",
      "access.log access.log.1",
      "/.git/config /stream",
    ]);
  });

  test("why Caddy has no new certificate is noted each minute, until it has one", async () => {
    const { output } = await root.sh(`mkdir -p /run/caddy /run/mcp-edge-cert
      printf '#!/bin/sh\\ntac /log\\n' >/usr/bin/journalctl; printf '#!/bin/sh\\necho inactive\\n' >/usr/local/sbin/systemctl; chmod 755 /usr/bin/journalctl /usr/local/sbin/systemctl
      line() { printf '{"level":"%s","ts":1.5,"logger":"tls.%s","msg":"%s"%s}\\n' "$@" >>/log; }
      noted() { mcp-edge-caddy reap; cat /run/mcp-edge-cert/problem 2>/dev/null || echo none; }
      : >/log; noted
      line info obtain 'obtaining certificate' ''; line error obtain 'will retry' ',"error":"[a.example] Obtain: no \\"A\\" record","attempt":1'; line info obtain 'obtaining certificate' ''; noted
      line info obtain 'certificate obtained successfully' ''; noted
      line error renew 'will retry' ',"error":"429","attempt":1'; noted; line info renew 'certificate renewed successfully' ''; noted`);
    const problem = (error: string) =>
      `Caddy has no new certificate: ${error}. It tries again by itself; at once: mcp-edge-caddy retry`;
    expect(output.trim().split("\n")).toEqual([
      "none",
      problem('[a.example] Obtain: no "A" record'),
      "none",
      problem("429"),
      "none",
    ]);
  });

  describe.each(["kernel", "nginx"] as const)("forward: %s", (forward) => {
    test("the client's address reaches the origin in HTTP/1.1, HTTP/2 and HTTP/3, and what the origin opens has the edge's", async () => {
      const { output } = await root.sh(`${passthroughNetwork(forward)}
        for address in ${FAMILIES.join(" ")}; do for version in --http1.1 --http2 --http3-only; do code $address $version; done; done | sort | uniq -c | xargs
        from 198.51.100.2 -o /dev/null -w '%{http_code} %{redirect_url}\\n' http://${domain}/x?y=1
        from 198.51.100.2 -o /dev/null -w '%{http_code}\\n' http://${domain}/.well-known/acme-challenge/none
        seen() { grep -v ::9 /var/log/caddy/access.log | grep -v 198.51.100.9 | grep -c '"proto"'; }; logged() { [ "$(seen)" -ge 6 ]; }; within logged
        sed -n 's/.*"remote_ip":"\\([^"]*\\)".*"client_ip":"[^"]*","proto":"\\([^"]*\\)".*/\\1 \\2/p' /var/log/caddy/access.log | grep -v ::9 | grep -v 198.51.100.9
        ip netns exec outside python3 -c 'import socket; s = socket.create_server(("198.51.100.9", 900)); print(s.accept()[1][0])' &
        until ip netns exec outside ss -Hltn sport 900 | grep -q .; do sleep 0.02; done; (: >/dev/tcp/198.51.100.9/900); wait $!`);
      expect(output.trim().split("\n")).toEqual([
        "6 401",
        `308 https://${domain}/x?y=1`,
        "404",
        ...FAMILIES.flatMap((address) => PROTOCOLS.map((protocol) => `${address} ${protocol}`)),
        "198.51.100.1",
      ]);
    });

    test("streams go on through generations of Caddy, reloads of the rules, forgotten flows and a reload of NGINX", async () => {
      const all = "grows grows grows grows";
      const { output } = await root.sh(`${passthroughNetwork(forward)}
        stream one 198.51.100.2 --http1.1; stream two 198.51.100.2 --http2; stream three 198.51.100.2 --http3-only; stream four 2001:db8:1:5::2 --http3-only
        grows one two three four
        load; load; grows one two three four
        sed -i 's/max-age=63072000/max-age=7/' /etc/caddy/Caddyfile; turn; turn; grows one two three four
        from 198.51.100.3 --http3-only -o /dev/null -w '%header{strict-transport-security}\\n' https://${domain}/mcp
        ip netns exec edge conntrack -F 2>/dev/null; grows one two three four
        ${forward === "nginx" ? "ip netns exec edge nginx -c /nginx/etc/nginx/nginx.conf -s reload 2>/dev/null; sleep 1" : ":"}; grows one two three four
        generations() { mcp-edge-caddy status | sed 's/replaced .*/replaced/'; }
        generations; touch -d '1 minute ago' /run/caddy/[12]/replaced; mcp-edge-caddy reap >/dev/null; generations | wc -l
        mcp-edge-caddy stop; within [ -s /three.end ]; within [ -s /four.end ]; cat /three.end /four.end | xargs`);
      const lines = output.trim().split("\n");
      expect(lines.splice(0, 6)).toEqual([all, all, all, "max-age=7", all, all]);
      expect(lines.splice(0, 3)).toEqual([
        expect.stringMatching(/^generation 1: [4-9] connections, replaced$/),
        "generation 2: 0 connections, replaced",
        expect.stringMatching(/^generation 3: \d connections, has the new flows$/),
      ]);
      // The second one has ended. Caddy's end closes the connections of HTTP/3: curl's "failure in receiving network data", no timeout.
      expect(lines).toEqual(["2", "56 56"]);
    });

    test("bans of guessed credentials, exploits and floods hold on TCP and UDP, in both families and through a reload, and others are served", async () => {
      const { output } = await root.sh(`${passthroughNetwork(forward)}
        rm -f /srv/mcp-edge/fail2ban/*; sed -i '/^\\[sshd\\]/,/^enabled/s/^enabled.*/enabled = false/' /etc/fail2ban/jail.d/mcp-edge.local
        sed -i 's/^maxretry = .*/maxretry = 3/' /etc/fail2ban/jail.d/mcp-edge.local
        fail2ban-server -b >/dev/null; until fail2ban-client ping >/dev/null 2>&1; do sleep 0.05; done
        for n in 1 2 3; do code 198.51.100.2 --http3-only -H "Authorization: Bearer wrong$n" >/dev/null; from 2001:db8:1:5::2 --http3-only -o /dev/null https://${domain}/.git/config; done
        # Once banned it gets no answer: nobody waits for it.
        from 198.51.100.9 -o /dev/null "https://${domain}/mcp?status=429&[1-400]" &
        (echo GET / >/dev/tcp/127.0.0.1/443) 2>/dev/null
        bans() { [ "$(nft list table inet f2b-table 2>/dev/null | grep -cE '198.51.100.[29]|2001:db8:1:5::')" -ge 3 ]; }; within bans
        for jail in mcp-edge mcp-edge-exploits mcp-edge-limits; do fail2ban-client status $jail | sed -n 's/.*IP list:\\s*//p'; done
        nft -f /etc/nftables.conf; load
        for address in 198.51.100.2 198.51.100.9 2001:db8:1:5::2; do dropped $address; dropped $address --http3-only; done | xargs
        for address in 198.51.100.3 2001:db8:1:6::2; do code $address; code $address --http3-only; done | xargs
        fail2ban-client stop >/dev/null`);
      expect(output.trim().split("\n")).toEqual([
        "198.51.100.2",
        "2001:db8:1:5::",
        "198.51.100.9",
        "000 000 000 000 000 000",
        "401 401 401 401",
      ]);
    });

    test("a client whose port changes keeps its connection", async () => {
      const { output } = await root.sh(`${passthroughNetwork(forward)}
        ip netns exec outside python3 /relay.py & relay=$!; until ip netns exec outside ss -Hlun sport 443 | grep -q .; do sleep 0.02; done
        ip netns exec outside curl -sk --curves X25519 --max-time 30 --http3-only --resolve ${domain}:443:127.0.0.1 --rate 20/m \
          "https://${domain}/mcp?[1-2]" -o /dev/null -w '%{stderr}%{http_code}:%{num_connects} ' 2>/relayed & client=$!
        until [ -s /relayed ]; do sleep 0.02; done; kill -USR1 $relay; wait $client; cat /relayed`);
      expect(output.trim()).toBe("401:1 401:0");
    });
  });
}

const reason = whyNot();

if (reason !== undefined) {
  test(`forwarding cannot be tried here: ${reason}`, () => {
    expect(process.env.CI).not.toBe("true");
  });
} else {
  describe("an edge that passes connections on, and its origin", forwarding);
}
