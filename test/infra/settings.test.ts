import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { parseSettings, SETTINGS, SettingsError } from "../../infra/settings.ts";

const problems = (raw: Record<string, string>, stack = "local"): string[] => {
  try {
    parseSettings(raw, stack);
    return [];
  } catch (error) {
    expect(error).toBeInstanceOf(SettingsError);
    return (error as SettingsError).problems;
  }
};

describe("parseSettings", () => {
  test("an empty configuration is the embedded default", () => {
    expect(parseSettings({}, "local")).toEqual({
      stack: "local",
      target: "local",
      domain: "local.mcp-edge.test",
      email: "admin@local.mcp-edge.test",
      auth: "token",
      workspace: ".",
      rateLimit: 50,
      allowedOrigins: [],
      logLevel: "info",
    });
  });

  test("names all problems at once, each with the line that mends it", () => {
    const found = problems({ rateLimit: "fast", domian: "mcp.example.com", logLevel: "loud" });
    expect(found).toHaveLength(3);
    expect(found[0]).toContain('mcp-edge:rateLimit is "fast" and must be a whole number from 1 to 10000');
    expect(found[0]).toContain("pulumi config set mcp-edge:rateLimit 50 --stack local");
    expect(found[1]).toContain("mcp-edge:domian is not a setting; did you mean domain?");
    expect(found[1]).toContain("pulumi config rm mcp-edge:domian --stack local");
    expect(found[2]).toContain("must be one of debug, info, warn, error");
  });

  test.each([
    ["domain", "https://mcp.example.com"],
    ["domain", "localhost"],
    ["domain", "mcp.example.com/mcp"],
    ["domain", "MCP.example.com"],
    ["email", "me"],
    ["rateLimit", "0"],
    ["rateLimit", "1.5"],
    ["rateLimit", ""],
    ["allowedOrigins", "https://*"],
    ["allowedOrigins", "https://chat.example.com/path"],
    ["allowedOrigins", "https://chat.example.com, *"],
    ["target", "azure"],
    ["auth", "none"],
  ])("%s = %s is refused", (key, value) => {
    expect(problems({ [key]: value })).toHaveLength(1);
  });

  test("origins of all forms are taken, one by one", () => {
    const origins = ["https://chat.example.com:8443", "https://*.example.com", "vscode-webview://*", "null"];
    expect(parseSettings({ allowedOrigins: origins.join(", ") }, "local")).toMatchObject({
      allowedOrigins: origins,
    });
  });

  test("a stack name that cannot be a host name is refused", () => {
    expect(problems({}, "Prod_1")[0]).toContain('stack name "Prod_1"');
  });

  test("any key outside the table is refused, whatever its value", () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), fc.string(), (key, value) => {
        fc.pre(!(key in SETTINGS) && !(key in {}));
        expect(problems({ [key]: value })).toHaveLength(1);
      }),
    );
  });
});

describe("target aws", () => {
  const aws = (raw: Record<string, string> = {}) => ({ target: "aws", domain: "mcp.example.com", ...raw });

  test("the defaults, which depend on the stack's name and on each other", () => {
    expect(parseSettings(aws(), "prod")).toMatchObject({
      target: "aws",
      environment: "prod",
      protect: true,
      alarms: "full",
      instanceType: "t4g.small",
      architecture: "arm64",
      allowedCidrs: ["0.0.0.0/0", "::/0"],
      machines: 1,
      secrets: {},
      tags: {},
    });
    const mine = parseSettings(aws({ architecture: "amd64" }), "mine");
    expect(mine).toMatchObject({
      environment: "dev",
      protect: false,
      alarms: "basic",
      instanceType: "t3.small",
    });
  });

  test("lists, numbers and truths are read from texts, as pulumi hands them out", () => {
    const raw = {
      allowedCidrs: " 203.0.113.0/24 ,2001:db8::/32,",
      protect: "true",
      tags: "a=b=c, d=",
      machines: "3",
    };
    expect(parseSettings(aws(raw), "dev")).toMatchObject({
      allowedCidrs: ["203.0.113.0/24", "2001:db8::/32"],
      protect: true,
      tags: { a: "b=c", d: "" },
      machines: 3,
    });
  });

  test("a key of the other target is refused, unless it says what the project's default says", () => {
    expect(problems({ zone: "example.com" })[0]).toBe(
      "mcp-edge:zone is a setting of target aws, and this stack's target is local; mend: pulumi config rm mcp-edge:zone --stack local (Pulumi.local.yaml), or npm run up -- --set zone=",
    );
    expect(problems({ machines: "1", acme: "letsencrypt" })).toEqual([]);
  });

  test.each([
    ["allowedCidrs", "203.0.113.1/24"],
    ["allowedCidrs", "everyone"],
    ["vpcId", "vpc-x"],
    ["subnetIds", "subnet-0123456789abcdef0,x"],
    ["image", "latest"],
    ["machine", "new"],
    ["acme", "http://acme.example.com"],
    ["logRetentionDays", "31"],
    ["machines", "11"],
    ["tags", "aws:x=y"],
    ["tags", "novalue"],
    ["protect", "yes"],
    ["environment", "test"],
    ["secrets", "[]"],
    ["secrets", '{"lower":"x"}'],
    ["secrets", '{"A":"two\\nlines"}'],
  ])("%s = %s is refused", (key, value) => {
    expect(problems(aws({ [key]: value }))).toHaveLength(1);
  });

  test.each([
    [{ domain: undefined }, "domain must be set"],
    [{ zone: "example.org" }, "zone example.org does not hold the domain mcp.example.com"],
    [{ hostedZone: "create" }, "hostedZone is create and zone names none"],
    [{ instanceType: "t3.small" }, "instanceType t3.small is amd64 and architecture is arm64"],
    [{ vpcId: "vpc-0123456789abcdef0" }, "vpcId needs subnetIds"],
    [{ subnetIds: "subnet-0123456789abcdef0" }, "subnetIds needs vpcId"],
    [{ allowedCidrs: "," }, "allowedCidrs names nobody"],
    [{ acmeCa: "/ca.pem" }, "acmeCa is for an ACME server of your own"],
  ])("%j contradicts: %s", (change, words) => {
    const { domain, ...rest } = { domain: "mcp.example.com", ...change } as Record<string, string>;
    const raw = { target: "aws", ...(domain ? { domain } : {}), ...rest };
    expect(problems(raw)).toEqual([expect.stringContaining(words)]);
  });

  test("no message ever holds a secret", () => {
    fc.assert(
      fc.property(fc.string({ minLength: 8 }), (secret) => {
        for (const value of [
          secret,
          `{"bad key":${JSON.stringify(secret)}}`,
          `{"A":"x","B":[${JSON.stringify(secret)}]}`,
        ])
          expect(problems(aws({ secrets: value })).join("\n")).not.toContain(secret);
      }),
    );
  });
});
