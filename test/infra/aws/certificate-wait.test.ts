import { describe, expect, test } from "@jest/globals";
import { type AwaitedCertificate, awaitCertificate } from "../../../infra/aws/certificate-wait.ts";
import type { Objects, Status } from "../../../infra/aws/convergence.ts";
import { RefusedError } from "../../../infra/aws/refused.ts";

type Seen = Partial<Pick<Status, "certificate" | "certificateProblem">> & { error?: Error };

/** The machine's next statuses. The last one is repeated. */
function machine(history: Seen[]): Objects {
  return {
    async get<T>() {
      const next = history.length > 1 ? history.shift() : history[0];
      if (next?.error) throw next.error;
      return { instance: "i-1", certificateProblem: "", ...next } as T;
    },
    async put() {},
  };
}

const LINES = [
  "mcp.example.com. 300 IN A 198.51.100.7",
  "mcp.example.com. 300 IN AAAA 2001:db8::7",
  'mcp.example.com. 300 IN HTTPS 1 . alpn="h3,h2"',
];

async function outcome(history: Seen[], more: Partial<AwaitedCertificate> = {}, known: string[] = []) {
  const messages: string[] = [];
  const awaited: AwaitedCertificate = {
    ...{ stack: "prod", domain: "mcp.example.com", instances: ["i-1"], records: "lookup" },
    tlsServer: "nginx",
    ...{ lines: LINES, nameServers: ["ns-1.example.net", "ns-2.example.net"], ...more },
  };
  const names = { addresses: async () => known };
  const result = await awaitCertificate(machine(history), awaited, names, {
    log: (line) => messages.push(line),
    // A wait that ends at the time limit polls once here, so that the test is quick.
    limit: history.at(-1)?.certificate === "issued" ? 60_000 : 0,
    every: 1,
  });
  return { ...result, messages };
}

const failed = {
  certificate: "self-signed",
  certificateProblem: "DNS problem: NXDOMAIN looking up A",
} as const;

describe("the wait for the certificate", () => {
  test("ends when every machine serves with an issued certificate", async () => {
    expect(await outcome([{ certificate: "self-signed" }, failed, { certificate: "issued" }])).toMatchObject({
      issued: true,
      messages: ["waiting for the certificate of mcp.example.com"],
    });
  });

  test("ends for records that people must create, and names the missing ones", async () => {
    const result = await outcome([failed], { records: "by hand" }, ["198.51.100.7"]);
    expect(result).toMatchObject({ issued: false, waitsForPeople: true });
    if (result.issued) throw new Error("issued");
    expect(result.message).toContain("a self-signed certificate");
    expect(result.message).toContain("NXDOMAIN looking up A");
    expect(result.message).toContain("AAAA 2001:db8::7");
    expect(result.message).not.toContain("IN A 198.51.100.7");
    expect(result.message).toContain("pulumi stack output records --stack prod");
    expect(result.message).toContain("shell --stack prod -- systemctl restart mcp-edge-cert");
  });

  test("names Caddy's log and unit for an origin with Caddy", async () => {
    const result = await outcome([{ certificate: "none" }], { tlsServer: "caddy" });
    expect("message" in result && result.message).toMatch(
      /served with no certificate: .*-- mcp-edge-caddy retry\. Its log: .* logs --stack prod -u 'caddy\*'$/s,
    );
  });

  test("ends for a new zone, and names its name servers for the registrar", async () => {
    const result = await outcome([failed], { records: "create" });
    expect(result).toMatchObject({ issued: false, waitsForPeople: true });
    expect("message" in result && result.message).toContain("ns-1.example.net\n  ns-2.example.net");
  });

  test("continues if people have created the records, since the machine tries again", async () => {
    const known = ["198.51.100.7", "2001:0db8:0:0::7"];
    expect(
      await outcome([failed, failed, { certificate: "issued" }], { records: "by hand" }, known),
    ).toMatchObject({
      issued: true,
    });
  });

  test.each([
    [[], /other name servers, or there are two zones of this name/],
    [["198.51.100.7", "2001:db8::7"], /ended with:\n {2}urn:ietf:params:acme:error:caa/],
  ])(
    "fails after ten minutes for a zone of the account (DNS gives %j), with the reason",
    async (known, words) => {
      const problem = {
        certificate: "self-signed",
        certificateProblem: "urn:ietf:params:acme:error:caa",
      } as const;
      const result = await outcome([problem], {}, known);
      expect(result).toMatchObject({ issued: false, waitsForPeople: false });
      expect("message" in result && result.message).toMatch(words);
    },
  );

  test("does not accept the certificate of the previous ACME server", async () => {
    const result = await outcome([{ certificate: "outdated" }], {}, ["198.51.100.7", "2001:db8::7"]);
    expect("message" in result && result.message).toContain("the certificate of another ACME server");
    expect("message" in result && result.message).toContain("The machine has not reported why");
  });

  test("repeats a failed request, but not a refused one", async () => {
    expect(await outcome([{ error: new Error("HTTP 503") }, { certificate: "issued" }])).toMatchObject({
      issued: true,
    });
    await expect(outcome([{ error: new RefusedError("AccessDenied") }])).rejects.toThrow("AccessDenied");
  });
});
