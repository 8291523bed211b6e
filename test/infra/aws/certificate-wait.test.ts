import { describe, expect, test } from "@jest/globals";
import { type AwaitedCertificate, awaitCertificate } from "../../../infra/aws/certificate-wait.ts";
import type { Objects, Status } from "../../../infra/aws/convergence.ts";
import { RefusedError } from "../../../infra/aws/refused.ts";

type Seen = Partial<Pick<Status, "certificate" | "certificateProblem">> & { error?: Error };

/** What the machine says, look after look; the last one stays. */
function machine(history: Seen[]): Objects {
  return {
    async get<T>() {
      const now = history.length > 1 ? history.shift() : history[0];
      if (now?.error) throw now.error;
      return { instance: "i-1", certificateProblem: "", ...now } as T;
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
  const said: string[] = [];
  const awaited: AwaitedCertificate = {
    ...{ stack: "prod", domain: "mcp.example.com", instances: ["i-1"], records: "lookup" },
    ...{ lines: LINES, nameServers: ["ns-1.example.net", "ns-2.example.net"], ...more },
  };
  const names = { addresses: async () => known };
  const result = await awaitCertificate(machine(history), awaited, names, {
    log: (line) => said.push(line),
    // Where it ends by time, no time need pass: it looks once.
    limit: history.at(-1)?.certificate === "issued" ? 60_000 : 0,
    every: 1,
  });
  return { ...result, said };
}

const failed = {
  certificate: "self-signed",
  certificateProblem: "DNS problem: NXDOMAIN looking up A",
} as const;

describe("after a deployment", () => {
  test("it is over when every machine serves with an issued certificate", async () => {
    expect(await outcome([{ certificate: "self-signed" }, failed, { certificate: "issued" }])).toMatchObject({
      issued: true,
      said: ["waiting for the certificate of mcp.example.com"],
    });
  });

  test("records that people make: it does not wait for people, and names those that are missing", async () => {
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

  test("a new zone: its name servers are what is to be entered", async () => {
    const result = await outcome([failed], { records: "create" });
    expect(result).toMatchObject({ issued: false, waitsForPeople: true });
    expect("message" in result && result.message).toContain("ns-1.example.net\n  ns-2.example.net");
  });

  test("records that are there: it waits, since the machine asks again", async () => {
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
    "a zone of the account (DNS gives %j): after ten minutes it fails, and says why",
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

  test("the certificate of the ACME server before is not the one that is waited for", async () => {
    const result = await outcome([{ certificate: "outdated" }], {}, ["198.51.100.7", "2001:db8::7"]);
    expect("message" in result && result.message).toContain("the certificate of another ACME server");
    expect("message" in result && result.message).toContain("The machine has not reported why");
  });

  test("a request that fails is repeated, a refused one is not", async () => {
    expect(await outcome([{ error: new Error("HTTP 503") }, { certificate: "issued" }])).toMatchObject({
      issued: true,
    });
    await expect(outcome([{ error: new RefusedError("AccessDenied") }])).rejects.toThrow("AccessDenied");
  });
});
