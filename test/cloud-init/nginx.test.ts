import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { machineFiles } from "../../cloud-init/machine-files.ts";
import { type DebianRoot, rootWithPrograms, whyNot } from "./debian-root.ts";
import { SETTINGS } from "./fixture.ts";

/** The machine's NGINX with the machine's configuration, in Debian 13, with requests by Debian's curl, which supports HTTP/3. */
const { domain, rateLimit } = SETTINGS;
const PROTOCOLS = ["--http1.1", "--http2", "--http3-only"];
const ID = /^[0-9a-f]{32}$/;

interface Answer {
  status: number;
  headers: Record<string, string>;
  body: string;
}

function edge() {
  let root: DebianRoot;

  beforeAll(async () => {
    root = await rootWithPrograms(machineFiles(SETTINGS), "fake-server.py", "early-data-relay.py");
  }, 600_000);
  afterAll(() => root?.remove());

  /** Runs `script` beside NGINX. `curl` in it resolves and trusts the machine's name. @returns its output */
  async function beside(script: string, { server = true } = {}): Promise<string> {
    const { output } = await root.sh(`ip link set lo up; rm -f /var/log/nginx/*.log
      U=https://${domain}
      # X25519 alone: Debian's curl hangs now and then on an HTTP/3 handshake of two packets, as X25519MLKEM768 needs.
      curl() { command curl -sk --curves X25519 --max-time 30 --resolve ${domain}:443:127.0.0.1 --resolve ${domain}:80:127.0.0.1 "$@"; }
      workers() { pgrep -P "$(cat /run/nginx/nginx.pid 2>/dev/null)" -f 'nginx: worker process$' 2>/dev/null; }
      # Returns once the workers of the old configuration have ended. Until then they share the UDP sockets with the new workers, and drop
      # the first packets of connections: the client sends these again after a second or more.
      reload() {
        local old=$(workers)
        nginx -s reload 2>/dev/null
        for pid in $old; do while [ -e /proc/$pid ]; do sleep 0.02; done; done
      }
      raw() { openssl s_client -quiet -connect 127.0.0.1:443 -servername ${domain} 2>/dev/null; }
      ${server ? "python3 /fake-server.py & until (echo >/dev/tcp/127.0.0.1/8080) 2>/dev/null; do sleep 0.02; done" : ""}
      # \`nginx\` returns before there is a pid file, which its signals need, and before the workers, which \`reload\` waits for.
      nginx; until [ "$(workers | wc -l)" = "$(getconf _NPROCESSORS_ONLN)" ]; do sleep 0.02; done
      ${script}
      nginx -s quit 2>/dev/null; for _ in $(seq 1500); do [ -s /run/nginx/nginx.pid ] || break; sleep 0.02; done`);
    return output;
  }

  /** `script` with a rate of one request a minute, so that only the bursts decide, even on a slow host. */
  const slowly = (script: string) => {
    const limits = "/etc/nginx/mcp-edge/limits.conf";
    return `cp ${limits} /limits; sed -i 's|rate=[0-9]*r/s|rate=1r/m|' ${limits}; reload\n${script}\ncp /limits ${limits}`;
  };

  /** Each command prints one answer with its headers (`-D -`). */
  async function answers(commands: string[], options = {}): Promise<Answer[]> {
    const output = await beside(commands.map((line) => `${line}; echo; echo ====`).join("\n"), options);
    return output
      .replaceAll("\r", "")
      .split("====")
      .slice(0, commands.length)
      .map((text) => {
        const [head = "", ...body] = text.trim().split("\n\n");
        const [first = "", ...lines] = head.split("\n");
        const headers = lines.map((line) => line.split(/: (.*)/s).slice(0, 2) as [string, string]);
        return {
          status: Number(first.split(" ")[1]),
          headers: Object.fromEntries(headers.map(([name, value]) => [name.toLowerCase(), value])),
          body: body.join("\n\n").trim(),
        };
      });
  }

  /** The whole response of an error by NGINX. */
  function expectRefusal(answer: Answer | undefined, status: number, { mcp = true, retry = 0 } = {}) {
    if (!answer) throw new Error("no answer");
    expect(answer.status).toBe(status);
    expect(answer.headers).toMatchObject({
      "content-type": "application/json",
      "x-request-id": expect.stringMatching(ID),
    });
    expect(answer.headers["retry-after"]).toBe(retry ? String(retry) : undefined);
    const data = {
      request_id: answer.headers["x-request-id"],
      ...(retry ? { retry_after: retry } : {}),
    };
    const message = expect.stringMatching(/^[A-Z].{5,}/);
    expect(JSON.parse(answer.body)).toEqual(
      mcp
        ? { jsonrpc: "2.0", error: { code: -32_000, message, data }, id: null }
        : { error: message, ...data },
    );
  }

  test("a request for another host on an accepted connection is refused with 421, and the configured host is accepted in any spelling", async () => {
    const hosts = ["evil.example", "203.0.113.7", "localhost", `${domain}.evil.example`];
    const commands = PROTOCOLS.flatMap((version) =>
      hosts.map((host) => `curl ${version} -H 'Host: ${host}' $U/mcp -D -`),
    );
    for (const answer of await answers(commands)) {
      expectRefusal(answer, 421);
      expect(answer.body).toContain(`https://${domain}/mcp`);
      expect(answer.headers).not.toHaveProperty("alt-svc");
    }
    const same = ["", ":443"].map((port) => `curl -H 'Host: ${domain.toUpperCase()}${port}' $U/x -D -`);
    for (const { status } of await answers(same)) expect(status).toBe(401);
  });

  test("a key exchange that quantum computers do not break is negotiated, or X25519 with a client that has none", async () => {
    const groups = ["X25519MLKEM768:X25519", "X25519"];
    const output = await beside(
      groups
        .map(
          (group) =>
            `openssl s_client -connect 127.0.0.1:443 -servername ${domain} -groups ${group} </dev/null 2>/dev/null | sed -n 's/^Negotiated TLS1.3 group: //p; s/^\\(Server Temp Key\\|Peer Temp Key\\): //p'`,
        )
        .join("; "),
      { server: false },
    );
    expect(output.trim().split("\n")).toEqual(["X25519MLKEM768", expect.stringMatching(/^X25519(,|$)/)]);
  });

  test("the limits also count requests that are refused for their host", async () => {
    const count = 2 * rateLimit + 20;
    const output = await beside(
      slowly(
        PROTOCOLS.map(
          (version) =>
            `curl ${version} -H 'Host: evil.example' -H 'Authorization: Bearer ${version}' "$U/?[1-${count}]" -o /dev/null -w '%{http_code}\\n' | sort | uniq -c`,
        ).join("\n"),
      ),
    );
    expect(output.match(/429/g)).toHaveLength(PROTOCOLS.length);
    expect(output.match(/421/g)).toHaveLength(PROTOCOLS.length);
  });

  test.each(PROTOCOLS)(
    "NGINX's own refusals are JSON-RPC on /mcp and JSON elsewhere (%s)",
    async (version) => {
      const big = "$(head -c 9000 /dev/zero | tr '\\0' a)";
      // NGINX refuses an upload by its declared length, and stops reading it (STOP_SENDING over HTTP/3, RFC 9114 section 4.1).
      // Debian's curl then fails now and then with "SSL error 1" and drops the response: over HTTP/3 the request declares a body that it does not send.
      const upload =
        version === "--http3-only"
          ? `curl ${version} -X POST -H 'Content-Length: 9000000'`
          : `head -c 9000000 /dev/zero | curl ${version} -H Expect: --data-binary @-`;
      const cases: [string, number, object?][] = [
        [`curl ${version} -X TRACE $U/mcp -D -`, 405],
        [`curl ${version} -X TRACE $U/api/x -D -`, 405, { mcp: false }],
        [`curl ${version} $U/admin -D -`, 404, { mcp: false }],
        [`curl ${version} $U/debug/pprof -D -`, 404, { mcp: false }],
        [`${upload} $U/mcp/ -D -`, 413],
        [`${upload} $U/api/x -D -`, 413, { mcp: false }],
      ];
      if (version === "--http1.1")
        cases.push(
          [`curl ${version} "$U/mcp?${big}" -D -`, 414],
          [`curl ${version} "$U/other?${big}" -D -`, 414, { mcp: false }],
          [`curl ${version} -H "X-Big: ${big}" $U/mcp -D -`, 431],
          [`printf 'POST /mcp HTTP/1.1\\r\\nHost: ${domain}\\r\\nno colon\\r\\n\\r\\n' | raw`, 400],
          [`printf 'POST /mcp HTTP/1.1\\r\\n\\r\\n' | raw`, 400],
          [
            `printf 'POST /mcp HTTP/1.1\\r\\nHost: ${domain}\\r\\nTransfer-Encoding: x\\r\\n\\r\\n' | raw`,
            501,
          ],
          [`printf 'GET /mcp HTTP/9.9\\r\\nHost: ${domain}\\r\\n\\r\\n' | raw`, 505],
          [`printf 'nonsense\\r\\n\\r\\n' | raw`, 400, { mcp: false }],
          [`curl http://${domain}:443/mcp -D -`, 400],
          [
            `printf 'GET /\\xff\\xfe"\\\\ HTTP/1.1\\r\\nHost: ${domain}\\r\\nX y\\r\\n\\r\\n' | raw`,
            400,
            { mcp: false },
          ],
        );
      const found = await answers(cases.map(([command]) => command));
      for (const [at, [command, status, kind]] of cases.entries())
        expect({ command, error: caught(() => expectRefusal(found[at], status, kind)) }).toEqual({ command });
      const traced = found[0];
      expect(traced?.headers.allow).toBe("GET, POST, DELETE");
    },
  );

  test("a stopped server gives 502 with Retry-After, and allowed origins can read it", async () => {
    const origins: [string, boolean][] = [
      [`https://${domain}`, true],
      ["http://localhost:6274", true],
      ["https://evil.example", false],
      [`https://${domain}.evil.example`, false],
      [`https://evil.example/${domain}`, false],
      [`https://${domain.replace(".", "x")}`, false],
      ["null", false],
    ];
    const found = await answers(
      origins.map(([origin]) => `curl -X POST -d '{}' -H 'Origin: ${origin}' $U/mcp -D -`),
      { server: false },
    );
    for (const [at, [origin, readable]] of origins.entries()) {
      expectRefusal(found[at], 502, { retry: 2 });
      expect(found[at]?.headers["access-control-allow-origin"]).toBe(readable ? origin : undefined);
      expect(found[at]?.headers.vary).toBe("Origin");
    }
  });

  test("a server that does not answer in time gives 504 with Retry-After", async () => {
    const servers = "/etc/nginx/mcp-edge/servers.conf";
    await root.sh(
      `cp ${servers} /servers; sed -i 's/proxy_read_timeout .*;/proxy_read_timeout 500ms;/' ${servers}`,
    );
    try {
      const commands = ["mcp", "api/x"].map((path) => `curl -X POST -d '{}' "$U/${path}?late" -D -`);
      const [mcp, api] = await answers(commands);
      expectRefusal(mcp, 504, { retry: 2 });
      expectRefusal(api, 504, { retry: 2, mcp: false });
    } finally {
      await root.sh(`mv /servers ${servers}`);
    }
  });

  test("the server's responses pass unchanged, without the hash of a refused credential", async () => {
    const statuses = [400, 403, 404, 405, 413, 429, 500, 502, 503];
    const found = await answers(statuses.map((status) => `curl $U/own/${status} -D -`));
    for (const [at, status] of statuses.entries()) {
      expect([found[at]?.status, found[at]?.body]).toEqual([status, "the server's own words"]);
      expect(found[at]?.headers).not.toHaveProperty("retry-after");
    }
    const [refused] = await answers(["curl -H 'Authorization: Bearer bad' $U/mcp -D -"]);
    expect(refused?.status).toBe(401);
    expect(refused?.headers).not.toHaveProperty("x-refused-credential");
  });

  test("connections to the server are kept, with a pool for /mcp, and a readiness check always has a new one", async () => {
    // One connection to NGINX, so that one worker serves all.
    const urls = ["mcp", "mcp", "api/x", "api/x", "readyz", "readyz", "mcp"].map(
      (path) => `$U/${path}?connection`,
    );
    const upstreams = "/etc/nginx/mcp-edge/upstreams.conf";
    const output = await beside(
      // On a slow host there may be more than half a second between two requests.
      `sed -i 's/keepalive_timeout 500ms/keepalive_timeout 60s/' ${upstreams}; reload; sed -i 's/keepalive_timeout 60s/keepalive_timeout 500ms/' ${upstreams}
       curl ${urls.join(" ")}; echo; reload
       curl "$U/mcp?connection"; sleep 0.8; echo; curl -X POST -d '{}' "$U/mcp?connection"; echo
       curl -H 'Authorization: Bearer good' "$U/mcp?drains" "$U/readyz?drains"`,
    );
    const [first = "", before = "", later = "", draining] = output.trim().split("\n");
    const [mcp, again, api, apiAgain, ready, readyAgain, last] = first.trim().split(" ");
    expect([again, last, apiAgain]).toEqual([mcp, mcp, api]);
    expect(new Set([mcp, api, ready, readyAgain]).size).toBe(4);
    expect([before, later].map((port) => port.trim())).toEqual(Array(2).fill(expect.stringMatching(/^\d+$/)));
    expect(later.trim()).not.toBe(before.trim());
    // Only the readiness check is sent a second time.
    expect(draining).toBe("drainingok");
  });

  test("a GET that was open when the server died is sent once more, a POST is not", async () => {
    const get = PROTOCOLS.map((how) => `curl ${how} "$U/mcp?as=${how}&?dies" -D -`);
    const found = await answers([...get, `curl -X POST -d '{}' "$U/mcp?dies" -D -`]);
    const post = found.pop();
    expect(found.map(({ status }) => status)).toEqual([401, 401, 401]);
    expectRefusal(post, 502, { retry: 2 });
  });

  test("a credential that is repeated without end does not use up the rate of another one on the same address", async () => {
    // Access tokens of one issuer have the same beginning.
    const ask = (token: string, count: number, more = "") =>
      `curl ${more} -H 'Authorization: Bearer ${"x".repeat(200)}${token}' "$U/mcp?[1-${count}]" -o /dev/null -w '%{http_code}\\n' | sort | uniq -c; echo;`;
    const output = await beside(
      slowly(
        ask("dead", 6 * rateLimit) + ask("good", rateLimit) + ask("dead", 6 * rateLimit, "--http3-only"),
      ),
    );
    const [dead, good, again] = output.split("\n\n");
    expect(dead).toMatch(/\d+ 401\n +\d+ 429/);
    expect(good?.trim()).toBe(`${rateLimit} 401`);
    expect(again).toMatch(/\d+ 429/);
    // The address also has a limit for all its credentials together.
    const each = Array.from(
      { length: 14 * rateLimit },
      (_, at) =>
        `url = "https://${domain}/mcp"\nheader = "Authorization: Bearer ${at}"\noutput = /dev/null\nwrite-out = "%{http_code}\\n"\ninsecure\nresolve = ${domain}:443:127.0.0.1\n`,
    );
    root.write("/many", each.join("next\n"));
    const many = await beside(slowly("command curl -s -K /many | sort | uniq -c"));
    expect(many).toMatch(/\d+ 429/);
  });

  test("an address has a limit of open requests, and gets an error above it", async () => {
    const output = await beside(
      `sed -i 's/limit_conn connections 512/limit_conn connections 2/' /etc/nginx/mcp-edge/limits.conf; reload
       # A file for each: events of the first stream would be taken for those of the second one.
       stream() { local file=/stream$1; : >$file; { curl "$@" -N -H 'Authorization: Bearer good' $U/stream >$file; } 2>/dev/null & until [ -s $file ]; do sleep 0.02; done; }
       mcp() { curl -H 'Authorization: Bearer good' $U/mcp; }
       # NGINX does not notice that a killed HTTP/3 client is gone: the other one is killed.
       stream --http1.1 --max-time 0; stream --http3-only --max-time 0
       mcp; echo; pkill -o -x curl; until [ "$(mcp)" = ok ]; do sleep 0.02; done; mcp
       sed -i 's/limit_conn connections 2/limit_conn connections 512/' /etc/nginx/mcp-edge/limits.conf`,
    );
    const [refused = "", served] = output.split("\n");
    expect(JSON.parse(refused).error.message).toMatch(
      /^Too many requests at a time: this address may have 512 open/,
    );
    expect(served).toBe("ok");
  });

  test("idle QUIC connections are closed after a minute, TCP connections after five", async () => {
    const twice = (version: string) =>
      `curl ${version} --rate 10/m -o /dev/null -o /dev/null -w '%{num_connects}' $U/x $U/y; echo;`;
    const output = await beside(
      `${twice("--http3-only")} sed -i 's/keepalive_timeout 60s/keepalive_timeout 1s/' /etc/nginx/mcp-edge/servers.conf; reload
       ${twice("--http3-only")} ${twice("--http2")}
       sed -i 's/keepalive_timeout 1s/keepalive_timeout 60s/' /etc/nginx/mcp-edge/servers.conf`,
    );
    expect(output.trim().split("\n")).toEqual(["10", "11", "10"]);
  });

  test.each([
    ["if ($known = 0) { return 403; }", 403],
    ["deny all;", 403],
    ["if ($known = 0) { return 404; }", 404],
    ["return 503;", 503],
  ])("the operator's own rules apply, and their refusals have the same form: %s", async (rule, status) => {
    root.write("/srv/mcp-edge/nginx/http.d/own.conf", "geo $known { default 0; 192.0.2.0/24 1; }\n");
    root.write("/srv/mcp-edge/nginx/server.d/own.conf", `${rule}\n`);
    try {
      for (const answer of await answers(PROTOCOLS.map((version) => `curl ${version} $U/mcp -D -`)))
        expectRefusal(answer, status, { retry: status === 503 ? 2 : 0 });
    } finally {
      await root.sh("rm /srv/mcp-edge/nginx/*/own.conf");
    }
  });

  test("operators can refuse user agents and clients, trust a proxy, take back HSTS and HTTP/3, and allow early data for requests that may be repeated", async () => {
    const tuned = machineFiles({
      ...SETTINGS,
      blockedUserAgents: ["BadBot/1.0 (x)"],
      allowedClients: ["anthropic", "203.0.113.0/24", "2001:db8::/32"],
      trustedProxies: ["127.0.0.0/8", "2001:db8:ffff::/48"],
      earlyData: true,
      quicRetry: true,
      postQuantum: false,
      hstsSeconds: 0,
      altSvcSeconds: 0,
      bodyKiB: 16,
    }).filter(({ path }) => path.startsWith("/etc/nginx/"));
    const before = machineFiles(SETTINGS).filter(({ path }) => tuned.some((file) => file.path === path));
    for (const { path, content } of tuned) root.write(path, content);
    const early = (method: string) =>
      `printf '${method} /mcp HTTP/1.1\\r\\nHost: ${domain}\\r\\nContent-Length: 2\\r\\nConnection: close\\r\\n\\r\\n{}' >/early
       tls() { openssl s_client -connect 127.0.0.1:$1 -servername ${domain} -tls1_3 "\${@:2}" 2>/dev/null; }
       rm -f /session; (printf 'GET /x HTTP/1.1\\r\\nHost: ${domain}\\r\\nConnection: close\\r\\n\\r\\n'; while ! [ -s /session ]; do sleep 0.02; done) | tls 443 -quiet -sess_out /session >/dev/null
       python3 /early-data-relay.py & until ss -Hltn sport 8443 | grep -q .; do sleep 0.02; done
       tls 8443 -quiet -sess_in /session -early_data /early </dev/null`;
    const from = (address: string, path: string) => `curl -H 'X-Forwarded-For: ${address}' $U${path} -D -`;
    try {
      const found = await answers([
        "curl -A 'Mozilla (compatible) badbot/1.0 (X)' $U/mcp -D -",
        from("192.0.2.1", "/mcp"),
        from("192.0.2.1", "/api/x"),
        from("192.0.2.1", "/sign-in"),
        from("160.79.104.9", "/mcp"),
        from("203.0.113.7, 192.0.2.1, 127.0.0.9", "/mcp"),
        from("2001:db8:1::1", "/mcp"),
        `head -c 17000 /dev/zero | curl -H Expect: --data-binary @- $U/mcp -D -`,
        early("POST"),
        early("GET"),
      ]);
      expect(found.map(({ status }) => status)).toEqual([403, 403, 403, 401, 401, 403, 401, 413, 425, 401]);
      for (const at of [0, 1, 5]) expectRefusal(found[at], 403);
      expectRefusal(found[8], 425);
      expect(found[4]?.headers).toMatchObject({
        "strict-transport-security": "max-age=0",
        "alt-svc": "clear",
      });
    } finally {
      for (const { path, content } of before) root.write(path, content);
    }
  });

  test("a method and a path have rates of their own, in any spelling, and too many headers are refused", async () => {
    const listen = (method: string) =>
      `curl -H 'Mcp-Method: ${method}' "$U/mcp?[1-20]" -o /dev/null -w '%{http_code}\\n' | sort | uniq -c; echo;`;
    const paths = `for path in token %74oken/x tokens; do curl "$U/$path?[1-15]" -o /dev/null -w '%{http_code}\\n'; done | sort | uniq -c; echo;`;
    const headers = Array.from({ length: 101 }, (_, at) => `-H 'X-Header-${at}: 1'`).join(" ");
    const output = await beside(
      slowly(`${listen("tools/call")} ${listen("subscriptions/listen")} ${paths} curl --http1.1 ${headers} $U/mcp -w '%{http_code}'
        cat /var/log/nginx/mcp.log`),
    );
    const [calls, listens, ofPaths, rest = ""] = output.split("\n\n");
    expect(calls?.trim()).toBe("20 401");
    expect(listens).toMatch(/\d+ 401\n +\d+ 429/);
    // 21 of 30 to /token and below it (the first one and a burst of 20), and all to the path that only begins alike.
    expect(ofPaths?.trim()).toMatch(/^3[67] 401\n +[89] 429$/);
    expect(rest).toMatch(/"jsonrpc".*4\d\d/);
    const lines = rest.split("\n").filter((line) => line.startsWith('{"time"'));
    expect(JSON.parse(lines[0] ?? "")).toMatchObject({ mcp_method: "tools/call", status: 401, provider: "" });
  });

  test("the log of refused credentials has nothing else, and an IPv6 address as its /64", async () => {
    const output = await beside(
      `curl $U/mcp -o /dev/null
       curl -H 'Authorization: Bearer good' -H 'X-Refused-Credential: forged' $U/mcp -o /dev/null
       curl -H 'Authorization: Bearer bad' -A $'\\xff\\x01"' $U/mcp -o /dev/null
       command curl -sk --curves X25519 --http3-only --resolve '${domain}:443:[::1]' -H 'Authorization: Bearer worse' $U/mcp -o /dev/null
       nginx -s reopen; for _ in $(seq 3000); do [ "$(wc -l </var/log/nginx/refused.log)" -lt 2 ] || break; sleep 0.02; done; cat /var/log/nginx/refused.log`,
    );
    const lines = output
      .split("\n")
      .filter((line) => line.startsWith("{"))
      .map((line) => JSON.parse(line));
    expect(lines).toEqual(
      ["127.0.0.1", "::1/64"].map((address) => ({
        time: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
        address,
        credential: expect.stringMatching(/^[0-9a-f]{12}$/),
      })),
    );
  });

  test("every line of the access log is UTF-8 and JSON of a limited length, for any bytes of a client", async () => {
    const bytes = [
      "\\xff",
      "\\xc3\\x28",
      "\\xed\\xa0\\x80",
      "\\xf5\\x80\\x80\\x80",
      "\\xc0\\xaf",
      "\\x7f",
      "\\x80",
      "\\xe2\\x82",
    ];
    const script = bytes.map((text) => `curl -A $'a${text}b"\\\\' "$U/x"$'${text}?y' -o /dev/null`);
    script.push(
      `curl -A "é€😀" $U/é€😀 -o /dev/null`,
      `curl -A "$(head -c 7000 /dev/zero | tr '\\0' a)" "$U/$(head -c 7000 /dev/zero | tr '\\0' b)" -o /dev/null`,
      `printf 'GET / HTTP/1.1\\r\\nHost: \\xff\\xfe"\\r\\nConnection: close\\r\\n\\r\\n' | raw >/dev/null`,
      `printf 'GET /\\xff HTTP/9.9\\r\\nHost: x\\r\\n\\r\\n' | raw >/dev/null`,
      `printf '\\x00\\x01\\xff\\r\\n\\r\\n' | raw >/dev/null`,
      `curl --http2 -H "X-Big: $(head -c 40000 /dev/zero | tr '\\0' a)" $U/mcp -o /dev/null`,
    );
    await beside(script.join("\n"));
    const log = readFileSync(join(root.folder, "upper/var/log/nginx/access.log"));
    const lines = new TextDecoder("utf-8", { fatal: true }).decode(log).trim().split("\n");
    expect(lines.length).toBeGreaterThanOrEqual(bytes.length + 4);
    const entries = lines.map((line) => JSON.parse(line));
    for (const [at, line] of lines.entries()) {
      expect(Buffer.byteLength(line)).toBeLessThan(4_000);
      expect(Number.isInteger(entries[at].status)).toBe(true);
    }
    expect(entries.filter(({ user_agent }) => user_agent === "a…").length).toBeGreaterThanOrEqual(6);
    expect(entries.map(({ user_agent }) => user_agent)).toContain("é€😀");
    expect(entries.map(({ path }) => path)).toContain(`/${"b".repeat(511)}…`);
  });

  test("one in twenty refusals of a flood is logged, marked as a sample", async () => {
    const count = 40 * rateLimit;
    await beside(slowly(`curl --parallel --parallel-max 10 "$U/mcp?[1-${count}]" -o /dev/null`));
    const lines = readFileSync(join(root.folder, "upper/var/log/nginx/access.log"), "utf8")
      .trim()
      .split("\n");
    const entries = lines.map((line) => JSON.parse(line));
    const refused = entries.filter(({ status }) => status === 429);
    const served = entries.length - refused.length;
    expect(refused.length).toBeGreaterThan(0);
    expect(refused.length).toBeLessThan((count - served) / 5);
    for (const { weight } of refused) expect(weight).toBe(20);
  });
}

function caught(work: () => void): string | undefined {
  try {
    work();
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

const reason = whyNot();

if (reason !== undefined) {
  test(`NGINX cannot run here: ${reason}`, () => {
    expect(process.env.CI).not.toBe("true");
  });
} else {
  describe("NGINX as it is on the machine", edge);
}
