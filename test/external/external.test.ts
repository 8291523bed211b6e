import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import { failuresOf, OF_NGINX } from "./h2spec.ts";
import { TestedMachine } from "./tested-machine.ts";
import { goProgram } from "./tools.ts";

/** A machine of this host, tested by external tools, and under floods of full size: `npm run test:external`. docs/external-tests.md has the results. */
let machine: TestedMachine;

beforeAll(async () => {
  machine = await TestedMachine.create();
}, 600_000);
afterAll(() => machine?.remove(), 120_000);

/** What testssl.sh finds of the test alone, not of the machine. */
const OF_THE_TEST = [
  "engine_problem", // its own OpenSSL knows no GOST
  "cert_extlifeSpan", // Pebble's certificates are for five years
  "cert_revocation", // and name no list of revoked ones
  "DNS_CAArecord", // the name is in no zone
];

describe("other programs", () => {
  // They break the rules on purpose, all from one address. That they would be banned is tested elsewhere.
  beforeAll(() => machine.onMachine("systemctl stop fail2ban.service"));
  afterAll(() => machine.onMachine("systemctl start fail2ban.service"));

  test("testssl.sh gives A+, and finds nothing of severity LOW or above but the test's certificate authority", async () => {
    const { stdout } = await machine.inDebian(
      `cd /tmp; testssl --quiet --color 0 --add-ca /tmp/ca.pem --ip ${machine.address} --jsonfile /tmp/out.json ${machine.domain} >/tmp/log 2>&1; cat /tmp/out.json`,
    );
    const findings = JSON.parse(stdout) as { id: string; severity: string; finding: string }[];
    const grade = findings.find(({ id }) => id === "overall_grade")?.finding;
    const bad = findings.filter(
      ({ id, severity }) => !["OK", "INFO", "DEBUG"].includes(severity) && !OF_THE_TEST.includes(id),
    );
    expect({ grade, bad: bad.map(({ id, finding }) => `${id}: ${finding}`) }).toEqual({
      grade: "A+",
      bad: [],
    });
  }, 600_000);

  test("h2spec finds no fault that a bare NGINX has not, but for trailers of a request", async () => {
    const { stdout } = await machine.outside(
      await goProgram("h2spec"),
      ["-t", "-k", "-h", machine.domain, "-p", "443", "-o", "5"],
      { accept: [0, 1] },
    );
    const [, passed] = /145 tests, (\d+) passed/.exec(stdout) ?? [];
    console.log(`h2spec: ${passed} of 145 passed`);
    expect(Number(passed)).toBeGreaterThan(110);
    expect(failuresOf(stdout).filter((id) => !OF_NGINX.includes(id))).toEqual([]);
  }, 600_000);

  test("quic-go opens 50 connections", async () => {
    const url = new URL("/readyz", machine.up.deployed.url).href;
    const args = ["get", "50", url, `${machine.address}:443`, machine.up.deployed.rootsFile];
    const { stdout } = await machine.outside(await goProgram("quic-go"), args);
    expect(JSON.parse(stdout)).toEqual({ statuses: { 200: 50 }, errors: {} });
  }, 600_000);

  test("aioquic and curl get a response over HTTP/3", async () => {
    const url = new URL("/readyz", machine.up.deployed.url).href;
    const curl = await machine.inDebian(
      `curl --http3-only --curves X25519 --cacert /tmp/ca.pem --resolve ${machine.domain}:443:${machine.address} -s -o /dev/null -w '%{http_code} %{http_version}' ${url}`,
    );
    expect(curl.stdout).toBe("200 3");
    const aioquic = await machine.inDebian(
      `cat >/tmp/client.py <<'PY'\n${readFileSync(join(import.meta.dirname, "aioquic_client.py"), "utf8")}\nPY\npython3 /tmp/client.py ${machine.address} ${machine.domain}`,
    );
    expect(aioquic.stdout.trim()).toBe("200");
  }, 600_000);
});

describe("floods", () => {
  let honest: ReturnType<TestedMachine["honest"]>;
  let before: Awaited<ReturnType<TestedMachine["memory"]>>;
  let report = "";

  beforeEach(async () => {
    report = "";
    before = await machine.memory();
    honest = machine.honest();
    await pause(1_000);
  });

  /** Every honest request was answered meanwhile, and the memory is bounded. */
  afterEach(async () => {
    const memory = await machine.memory();
    const served = await honest.stop();
    await machine.onMachine(
      "mcp-edge-bans list | python3 -c 'import json, sys; [print(ban[\"address\"]) for ban in json.load(sys.stdin)]' | while read -r a; do mcp-edge-bans lift $a; done >/dev/null",
    );
    console.log(JSON.stringify({ test: expect.getState().currentTestName, report, served, before, memory }));
    for (const { requests, failed } of Object.values(served)) {
      expect(failed).toEqual([]);
      expect(requests).toBeGreaterThan(5);
    }
    expect(memory.nginx - before.nginx).toBeLessThan(200);
    expect(memory.server - before.server).toBeLessThan(200);
  });

  const sum = (counts: Record<string, number>) => Object.values(counts).reduce((all, one) => all + one, 0);

  const http = async (...[kind, client, ...more]: [string, number, ...number[]]) => {
    report = await machine.flood(
      "flood_http.py",
      kind,
      machine.client(client),
      machine.address,
      machine.domain,
      ...more,
    );
    return JSON.parse(report) as Record<string, number>;
  };

  test("400 requests whose headers come a byte a second are closed after 15 s", async () => {
    expect(await http("headers", 1, 400, 20)).toMatchObject({ closed: 400, open: 0 });
  }, 600_000);

  test("400 TCP connections without a ClientHello are closed after 15 s", async () => {
    expect(await http("silent", 2, 400, 20)).toMatchObject({ closed: 400, open: 0 });
  }, 600_000);

  test("400 requests of a token whose bodies come a byte a second: 256 are accepted, and end after two minutes", async () => {
    const outcomes = await http("body", 3, 400, 130);
    expect(outcomes.open).toBe(0);
    expect(outcomes[429]).toBeGreaterThan(100);
  }, 600_000);

  test("1,000 requests with 200 headers are refused", async () => {
    expect(await http("large", 4, 1_000)).toEqual({ 431: 1_000 });
  }, 600_000);

  test("20 connections with HTTP/2 streams that are reset at once (CVE-2023-44487) are closed", async () => {
    expect(await http("reset", 5, 20)).toEqual({ closed: 20, sent: expect.any(Number) });
  }, 600_000);

  test("40 connections with HTTP/2 CONTINUATION frames without end are closed", async () => {
    expect(await http("continuation", 6, 40)).toEqual({ closed: 40, sent: expect.any(Number) });
  }, 600_000);

  test("5,000 HTTP/3 requests that are reset", async () => {
    const args = [
      "reset",
      "5000",
      machine.up.deployed.url,
      `${machine.address}:443`,
      machine.up.deployed.rootsFile,
    ];
    report = (await machine.outside(await goProgram("quic-go"), args)).stdout;
    const { statuses, errors } = JSON.parse(report) as Record<"statuses" | "errors", Record<string, number>>;
    expect(sum(statuses) + sum(errors)).toBe(5_000);
    expect(sum(errors)).toBeGreaterThan(1_000);
  }, 600_000);

  test("20,000 malformed QUIC datagrams", async () => {
    await machine.flood("flood.py", "datagrams", machine.client(7), 20_000);
  }, 600_000);

  test("Initial packets from 200 addresses, 200 of each", async () => {
    await Promise.all(
      Array.from({ length: 8 }, async (_, part) => {
        for (let at = part; at < 200; at += 8)
          await machine.flood("flood.py", "handshakes", machine.client(at), 200);
      }),
    );
  }, 600_000);
});

const pause = (ms: number) => new Promise((done) => setTimeout(done, ms));
