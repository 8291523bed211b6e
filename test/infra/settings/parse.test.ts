import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { parse } from "yaml";
import { projectRoot } from "../../../infra/paths.ts";
import { SCHEMAS } from "../../../infra/settings/schemas.ts";
import { type AwsSettings, parseSettings, SettingsError } from "../../../infra/settings.ts";

const problems = (raw: Record<string, string>, stack = "local"): string[] => {
  try {
    parseSettings(raw, stack);
    return [];
  } catch (error) {
    expect(error).toBeInstanceOf(SettingsError);
    return (error as SettingsError).problems;
  }
};

/** What the engine gives a stack that sets nothing: the defaults of Pulumi.yaml, as text. */
async function engineDefaults(): Promise<Record<string, string>> {
  const { config } = parse(await readFile(join(projectRoot, "Pulumi.yaml"), "utf8"));
  const entries = Object.entries(config as Record<string, { default?: unknown }>);
  return Object.fromEntries(
    entries
      .filter(([, { default: value }]) => value !== undefined)
      .map(([key, { default: value }]) => [
        key.replace("mcp-edge:", ""),
        typeof value === "string" ? value : JSON.stringify(value),
      ]),
  );
}

describe("parseSettings", () => {
  test.each(["terminate", "passthrough"])(
    "takes the engine's defaults with edge: %s on AWS",
    async (edge) => {
      const own = {
        target: "aws",
        domain: "mcp.example.com",
        workspace: "https://git.example.com/a/b.git",
        edge,
      };
      expect(problems({ ...(await engineDefaults()), ...own }, "dev")).toEqual([]);
    },
  );

  test("with edge: passthrough, a setting that only NGINX implements is refused unless it has its default", () => {
    const passthrough = { edge: "passthrough", rateBurst: "100", openRequests: "512" };
    expect(parseSettings(passthrough, "local")).toMatchObject({ edge: "passthrough", forward: "kernel" });
    expect(() => parseSettings({ ...passthrough, rateBurst: "7", quicRetry: "true" }, "local")).toThrow(
      /rateBurst is a setting of NGINX[\s\S]*quicRetry is a setting of NGINX/,
    );
    expect(() => parseSettings({ forward: "nginx" }, "local")).toThrow(/forward is nginx, and with edge/);
  });

  test("an empty configuration gives the defaults", () => {
    expect(parseSettings({}, "local")).toEqual({
      stack: "local",
      target: "local",
      edge: "terminate",
      forward: "kernel",
      domain: "local.mcp-edge.test",
      email: "admin@local.mcp-edge.test",
      auth: "oauth",
      jwt: undefined,
      tokenDomain: "",
      workspace: ".",
      workspaceRefs: ["*"],
      workspaceCredentials: undefined,
      identityProviders: [],
      identityProviderSecrets: undefined,
      localSignIn: true,
      rateLimit: 50,
      rateBurst: 100,
      methodRates: { "subscriptions/listen": 5 },
      pathRates: {
        "/authorize": 10,
        "/token": 10,
        "/register": 10,
        "/sign-in": 10,
        "/enrol": 10,
        "/account": 10,
      },
      openRequests: 512,
      requestSeconds: 300,
      streamSeconds: 3600,
      bodyKiB: 512,
      blockedUserAgents: [],
      allowedClients: [],
      trustedProxies: [],
      proxyProtocol: false,
      quicRetry: false,
      earlyData: false,
      postQuantum: true,
      hstsSeconds: 63_072_000,
      altSvcSeconds: 86_400,
      rebootAt: "04:00",
      streamHours: 12,
      allowedOrigins: [],
      grants: [],
      logLevel: "info",
    });
  });

  test("names all problems at once, each with the command that fixes it", () => {
    const found = problems({ rateLimit: "fast", domian: "mcp.example.com", logLevel: "loud" });
    expect(found).toHaveLength(3);
    expect(found[0]).toContain('mcp-edge:rateLimit is "fast", but must be a whole number from 1 to 10000');
    expect(found[0]).toContain("pulumi config set mcp-edge:rateLimit 50 --stack local");
    expect(found[1]).toContain("mcp-edge:domian is not a setting (did you mean domain?)");
    expect(found[1]).toContain("pulumi config rm mcp-edge:domian --stack local");
    expect(found[2]).toContain("must be one of debug, info, warn, error");
  });

  test("names the command that replaces a removed setting", () => {
    expect(problems({ target: "aws", machine: "replace-2" })[0]).toMatch(
      /mcp-edge:machine is now a command: npm run mcp-edge -- replace --stack local.*pulumi config rm mcp-edge:machine --stack local/,
    );
  });

  test.each([
    ["domain", "https://mcp.example.com"],
    ["domain", "localhost"],
    ["domain", "mcp.example.com/mcp"],
    ["domain", "MCP.example.com"],
    ["email", "me"],
    ["rebootAt", "4:00"],
    ["rebootAt", "24:00"],
    ["rebootAt", "never"],
    ["rateLimit", "0"],
    ["rateLimit", "1.5"],
    ["rateLimit", ""],
    ["blockedUserAgents", '["x"]'],
    ["blockedUserAgents", '["a\\"; deny all; #"]'],
    ["methodRates", '{"tools/call; }": 1}'],
    ["methodRates", '{"tools/call": 0}'],
    ["pathRates", '{"token": 10}'],
    ["pathRates", '{"/token/": 10}'],
    ["pathRates", '{"/a;b": 10}'],
    ["allowedClients", '["everybody"]'],
    ["allowedClients", '["203.0.113.7/24"]'],
    ["trustedProxies", '["203.0.113.7"]'],
    ["trustedProxies", '["::1/129"]'],
    ["earlyData", "maybe"],
    ["allowedOrigins", '["https://*"]'],
    ["allowedOrigins", '["https://chat.example.com/path"]'],
    ["allowedOrigins", '["https://chat.example.com", "*"]'],
    ["allowedOrigins", '[["https://chat.example.com"]]'],
    ["allowedOrigins", '{"a":"https://chat.example.com"}'],
    ["email", "o'neil@example.com"],
    ["workspace", "https://git.example.com/a b"],
    ["workspace", "https://git.example.com/$(reboot)"],
    ["workspace", ""],
    ["target", "azure"],
    ["auth", "basic"],
  ])("%s = %s is refused", (key, value) => {
    expect(problems({ [key]: value })).toHaveLength(1);
  });

  test("accepts origins of all forms", () => {
    const origins = ["https://chat.example.com:8443", "https://*.example.com", "vscode-webview://*", "null"];
    expect(parseSettings({ allowedOrigins: JSON.stringify(origins) }, "local")).toMatchObject({
      allowedOrigins: origins,
    });
  });

  test.each([
    ["foo", undefined],
    ["bar", undefined],
    ["a", undefined],
    ["xyz", undefined],
    ["user", undefined],
    ["hosts", undefined],
    ["zon", "zone"],
    ["Domain", "domain"],
    ["tag", "tags"],
    ["alarm", "alarms"],
    ["instancetyp", "instanceType"],
    ["allowedCidr", "allowedCidrs"],
    ["logRetentionDay", "logRetentionDays"],
  ])("%s, which is no setting, suggests %s", (key, meant) => {
    const [problem = ""] = problems({ [key]: "x" });
    expect(/did you mean (\w+)/.exec(problem)?.[1]).toBe(meant);
  });

  test.each([
    ["rateLimit", "[50]", "must be a number, not a list or an object"],
    ["protect", '{"a":true}', "must be a boolean, not a list or an object"],
    ["domain", '["mcp.example.com"]', "must be a string, not a list or an object"],
    ["tags", "[]", "must be an object, written name by name"],
    ["allowedCidrs", "{}", "must be a list, written element by element"],
  ])("%s = %s has the wrong form", (key, value, words) => {
    const raw = { target: "aws", domain: "mcp.example.com", workspace: ".", [key]: value };
    expect(problems(raw)).toEqual([expect.stringContaining(`is ${JSON.stringify(value)}, but ${words}`)]);
  });

  test.each([
    [
      "allowedCidrs",
      "203.0.113.0/24, 2001:db8::/32,",
      "pulumi config set-all --path --plaintext 'mcp-edge:allowedCidrs[0]=203.0.113.0/24' --plaintext 'mcp-edge:allowedCidrs[1]=2001:db8::/32' --stack prod",
    ],
    [
      "tags",
      "Team=edge core,cost.centre=a=b",
      "pulumi config set-all --path --plaintext 'mcp-edge:tags.Team=edge core' --plaintext 'mcp-edge:tags[\"cost.centre\"]=a=b' --stack prod",
    ],
    [
      "workspaceRefs",
      "main",
      "pulumi config set-all --path --plaintext 'mcp-edge:workspaceRefs[0]=main' --stack prod",
    ],
    ["secrets", "API_KEY=hush", "pulumi config set --path mcp-edge:secrets.API_KEY --secret --stack prod"],
    [
      "workspaceCredentials",
      "hush",
      "pulumi config set --path mcp-edge:workspaceCredentials.user --secret --stack prod",
    ],
  ])("%s = %s, the former form, is refused with the commands for the new one", (key, value, command) => {
    const raw = { target: "aws", domain: "mcp.example.com", workspace: ".", [key]: value };
    const [problem = "", ...others] = problems(raw, "prod");
    expect(others).toEqual([]);
    expect(problem).toContain(`; fix: ${command} (Pulumi.prod.yaml)`);
    expect(problem).not.toContain("hush");
  });

  test("errors name an element as --path does", () => {
    const raw = {
      target: "aws",
      domain: "mcp.example.com",
      workspace: ".",
      allowedCidrs: '["10.0.0.0/8","10.0.0.1/8"]',
      tags: '{"a.b":"?","aws:c":"d","Fine":7}',
      secrets: '{"API_KEY":"hush\\n"}',
    };
    const found = problems(raw, "prod");
    expect(found.map((problem) => problem.split(" (Pulumi.")[0])).toEqual([
      `mcp-edge:allowedCidrs[1] is "10.0.0.1/8", but must have no bits set after the prefix; fix: pulumi config set --path 'mcp-edge:allowedCidrs[1]' 203.0.113.0/24 --stack prod`,
      `mcp-edge:tags["a.b"] is "?", but must be a tag's value: letters, digits, blanks and _ . : / = + @ -; fix: pulumi config set --path 'mcp-edge:tags["a.b"]' 42 --stack prod`,
      `mcp-edge:tags["aws:c"] has a wrong name, which must not begin with aws:; fix: pulumi config rm --path 'mcp-edge:tags["aws:c"]' --stack prod`,
      "mcp-edge:secrets.API_KEY is a secret, but must be one line; fix: pulumi config set --path mcp-edge:secrets.API_KEY --secret --stack prod",
    ]);
  });

  test("a stack name that cannot be a host name is refused", () => {
    expect(problems({}, "Prod_1")[0]).toContain('stack name "Prod_1"');
  });

  test("any key outside the table is refused, with any value", () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), fc.string(), (key, value) => {
        fc.pre(!(key in SCHEMAS.aws));
        expect(problems({ [key]: value })).toHaveLength(1);
      }),
    );
  });
});

/** A private ACME server. */
const OWN = "https://acme.example.com/directory";

/** A list with this number of ranges. */
const ranges = (count: number, pattern = "203.0.X.0/24") =>
  Array.from({ length: count }, (_, n) => pattern.replace("X", String(n + 1)));

/** Formats a value as the engine does. */
const json = (value: object) => JSON.stringify(value);

/** An object with this number of tags. */
const manyTags = (count: number) =>
  json(Object.fromEntries(Array.from({ length: count }, (_, n) => [`t${n}`, "x"])));

describe("target aws", () => {
  const aws = (raw: Record<string, string> = {}) => ({
    target: "aws",
    domain: "mcp.example.com",
    workspace: ".",
    ...raw,
  });

  test("the defaults depend on the stack's name and on each other", () => {
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

  test("lists, numbers and booleans are parsed from the texts that pulumi passes", () => {
    const raw = {
      allowedCidrs: '["203.0.113.0/24","2001:db8::/32"]',
      protect: "true",
      tags: '{"a":"b=c","d":"","on":true,"n":42}',
      secrets: '{"PIN":1234}',
      machines: "3",
      acme: "https://acme.example.com/dir",
    };
    expect(parseSettings(aws(raw), "dev")).toMatchObject({
      allowedCidrs: ["203.0.113.0/24", "2001:db8::/32"],
      protect: true,
      tags: { a: "b=c", d: "", on: "true", n: "42" },
      secrets: { PIN: "1234" },
      machines: 3,
    });
  });

  test.each([
    [["0::/0"], ["::/0"]],
    [["0:0:0:0:0:0:0:0/0", "::/0"], ["::/0"]],
    [["2001:0DB8::/32"], ["2001:db8::/32"]],
    [["2001:db8:0:0:1::/80", "2001:DB8::1:0:0:0/80"], ["2001:db8:0:0:1::/80"]],
    [["10.0.0.0/08", "10.0.0.0/8"], ["10.0.0.0/8"]],
    [
      ["203.0.113.0/24", "203.0.113.0/24", "198.51.100.0/24"],
      ["203.0.113.0/24", "198.51.100.0/24"],
    ],
  ])("the ranges %j become %j, normalized and without duplicates", (ranges, canonical) => {
    expect(parseSettings(aws({ allowedCidrs: json(ranges) }), "dev")).toMatchObject({
      allowedCidrs: canonical,
    });
  });

  test("the certificate authority in the CAA record depends on acme", () => {
    const issuer = (raw: Record<string, string>) => (parseSettings(aws(raw), "dev") as AwsSettings).caaIssuer;
    expect(issuer({})).toBe("letsencrypt.org");
    expect(issuer({ acme: "https://acme.zerossl.com/v2/DV90" })).toBe("sectigo.com");
    expect(issuer({ acme: "https://dv.acme-v02.api.pki.goog/directory" })).toBe("pki.goog");
    expect(issuer({ acme: "https://acme.example.com/dir" })).toBe("");
    expect(issuer({ acme: "https://acme.example.com/dir", caaIssuer: "ca.example.com" })).toBe(
      "ca.example.com",
    );
  });

  test("backups are kept for a week, except in dev, which has none", () => {
    expect([parseSettings(aws(), "prod"), parseSettings(aws(), "dev")]).toMatchObject([
      { backups: 7 },
      { backups: 0 },
    ]);
  });

  test("a key of the other target is refused, unless it has the project's default value", () => {
    expect(problems({ zone: "example.com" })[0]).toBe(
      "mcp-edge:zone is a setting of target aws, and this stack's target is local; fix: pulumi config rm mcp-edge:zone --stack local (Pulumi.local.yaml), or npm run up -- --set zone=",
    );
    const defaults = { machines: "1", acme: "letsencrypt", tags: "{}", allowedCidrs: '["0.0.0.0/0","::/0"]' };
    expect(problems(defaults)).toEqual([]);
  });

  test.each([
    ["allowedCidrs", '["203.0.113.1/24"]'],
    ["allowedCidrs", '["everyone"]'],
    ["allowedCidrs", "[]"],
    ["vpcId", "vpc-x"],
    ["subnetIds", '["subnet-0123456789abcdef0","x"]'],
    ["image", "latest"],
    ["machine", "new"],
    ["acme", "http://acme.example.com"],
    ["logRetentionDays", "31"],
    ["machines", "11"],
    ["tags", '{"aws:x":"y"}'],
    ["tags", '{"a":{"b":"c"}}'],
    ["tags", '{"project":"x"}'],
    ["tags", '{"STACK":"x"}'],
    ["tags", '{"environment":"x"}'],
    ["tags", '{"managedby":"x"}'],
    ["tags", '{"Name":"x"}'],
    ["tags", '{"backups":"x"}'],
    ["tags", '{"team":"a","Team":"b"}'],
    ["tags", manyTags(44)],
    ["instanceType", "t2.small"],
    ["instanceType", "m4.large"],
    ["instanceType", "c4.large"],
    ["instanceType", "r4.large"],
    ["instanceType", "x1e.xlarge"],
    ["instanceType", "i3.large"],
    ["instanceType", "p3.2xlarge"],
    ["instanceType", "mac1.metal"],
    ["secrets", '{"A":"x{{ssm:y}}"}'],
    ["secrets", '{"A":"{{"}'],
    ["backups", "-1"],
    ["snapshotId", "latest"],
    ["permissionsBoundary", "boundary"],
    ["caaIssuer", "https://letsencrypt.org"],
    ["protect", "yes"],
    ["environment", "test"],
    ["secrets", "[]"],
    ["secrets", '{"lower":"x"}'],
    ["secrets", '{"A":"two\\nlines"}'],
  ])("%s = %s is refused", (key, value) => {
    expect(problems(aws({ [key]: value }))).toHaveLength(1);
  });

  test.each([
    [
      { domain: undefined },
      "domain must be set for target aws; fix: pulumi config set mcp-edge:domain mcp.example.com",
    ],
    [
      { workspace: undefined },
      "workspace must be set for target aws; fix: pulumi config set mcp-edge:workspace https://",
    ],
    [{ zone: "example.org" }, "zone example.org does not hold the domain mcp.example.com"],
    [{ hostedZone: "create" }, "hostedZone is create and zone names none"],
    [{ instanceType: "t3.small" }, "instanceType t3.small is amd64 and architecture is arm64"],
    [{ vpcId: "vpc-0123456789abcdef0" }, "vpcId needs subnetIds"],
    [{ subnetIds: '["subnet-0123456789abcdef0"]' }, "subnetIds needs vpcId"],
    [
      { zone: "example.com", acme: OWN },
      `caaIssuer must be set: zone is example.com, and the name of the authority behind ${OWN} in CAA records is unknown`,
    ],
    [{ proxyProtocol: "true" }, "proxyProtocol is true, and trustedProxies names no proxy"],
    [{ acmeCa: "/ca.pem" }, "acmeCa is for an ACME server of your own"],
    [{ caaIssuer: "example.com" }, "caaIssuer is for an ACME server given by its URL"],
    [{ machines: "2" }, "machines is 2 and acme is letsencrypt. Its validation requests may reach a machine"],
    [{ machines: "2", acme: "letsencrypt-staging" }, "and acme is letsencrypt-staging"],
    [
      { machines: "3", acme: "https://acme.zerossl.com/v2/DV90" },
      "machines is 3 and acme is https://acme.zerossl",
    ],
    [{ acmeChallenge: "dns-01" }, "acmeChallenge is dns-01, and zone names no Route 53 zone"],
    [
      { machines: "5", acmeChallenge: "dns-01", zone: "example.com" },
      "Let's Encrypt issues five a week for the same names; fix: pulumi config set mcp-edge:machines 4",
    ],
    [
      { machines: "3", acmeChallenge: "dns-01", zone: "example.com", acmeProfile: "shortlived" },
      "those of the profile shortlived are renewed twice a week",
    ],
    [{ acmeProfile: "tlsclient" }, "Let's Encrypt has classic, tlsserver, shortlived"],
    [
      { machines: "6", acme: OWN },
      "the account may have 5 Elastic IP addresses in a region; fix: pulumi config set",
    ],
    [{ machines: "3", elasticIpQuota: "2", acme: OWN }, "the account may have 2 Elastic IP addresses"],
    [
      { machines: "2", snapshotId: "snap-0123456789abcdef0", acme: OWN },
      "snapshotId is the data of one machine",
    ],
    [{ allowedCidrs: json(ranges(29)) }, "has 29 ranges, which take 61 rules of one address family"],
    [{ allowedCidrs: json(ranges(20)), acme: OWN }, "has 20 ranges, which take 62 rules"],
    [{ allowedCidrs: json(ranges(29, "2001:db8:X::/48")) }, "has 29 ranges, which take 61 rules"],
  ])("%j contradicts: %s", (change, words) => {
    const raw = Object.entries(aws(change as Record<string, string>)).filter(
      ([, value]) => value !== undefined,
    );
    expect(problems(Object.fromEntries(raw))).toEqual([expect.stringContaining(words)]);
  });

  test.each([
    { allowedCidrs: json(ranges(28)) },
    { allowedCidrs: json([...ranges(28), ...ranges(28, "2001:db8:X::/48")]) },
    { allowedCidrs: json([...ranges(20), ...ranges(20)]) },
    { allowedCidrs: json(ranges(19)), acme: OWN },
    { allowedCidrs: json(ranges(29)), ruleQuota: "61" },
    { allowedCidrs: json(ranges(29)), shell: "none", ruleQuota: "60" },
    { machines: "6", elasticIpQuota: "6", acme: OWN },
    { machines: "4", acmeChallenge: "dns-01", zone: "example.com", acmeProfile: "tlsserver" },
    { machines: "5", acmeChallenge: "dns-01", zone: "example.com", acme: "https://acme.zerossl.com/v2/DV90" },
    { acme: OWN, acmeProfile: "internal" },
    { allowedCidrs: json(ranges(19)), acmeChallenge: "dns-01", zone: "example.com" },
    { tags: manyTags(43) },
    { zone: "example.com", acme: OWN, caaIssuer: "ca.example.com" },
    { zone: "example.com", acme: "https://acme.zerossl.com/v2/DV90" },
    { instanceType: "i3.metal", architecture: "amd64" },
    { instanceType: "p3dn.24xlarge", architecture: "amd64" },
    { instanceType: "m5.large", architecture: "amd64" },
    { secrets: '{"A":"{ {x} }"}' },
  ])("%j is within the limits of AWS", (raw) => {
    expect(problems(aws(raw as Record<string, string>))).toEqual([]);
  });

  test("no message contains a secret", () => {
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

describe("a URL with credentials", () => {
  const AWS = { target: "aws", domain: "mcp.example.com" };
  test.each([
    "https://user:s3cret@git.example.com/o/n",
    "https://s3cret@git.example.com/o/n",
    "http://user:s3cret/with/slashes@git.example.com/o/n",
    "ssh://git:s3cret@git.example.com/o/n",
    "git:s3cret@git.example.com:o/n",
    "https://git.example.com/o/n?private_token=s3cret",
    "git://user:s3cret@git.example.com/o/n",
  ])("is refused as workspace, and the message does not show it: %s", (workspace) => {
    for (const target of [{}, AWS]) {
      const parse = () => parseSettings({ ...target, workspace }, "dev");
      expect(parse).toThrow("mcp-edge:workspace is an address with credentials, but");
      expect(parse).toThrow("must not hold credentials");
      expect(parse).not.toThrow("s3cret");
    }
  });

  test.each([
    "https://git.example.com:8443/o/n.git",
    "ssh://git@git.example.com/o/n.git",
    "git@git.example.com:o/n.git",
    "/home/me/@scope/repository",
  ])("is distinguished from a URL with an SSH user or a path with an at sign: %s", (workspace) => {
    expect(parseSettings({ workspace }, "dev").workspace).toBe(workspace);
  });
});

test("a production machine gets HEAD alone unless refs are named", () => {
  const aws = { target: "aws", domain: "mcp.example.com", workspace: "." };
  expect(parseSettings(aws, "prod").workspaceRefs).toEqual([]);
  const workspaceRefs = '["main","v*"]';
  expect(parseSettings({ ...aws, workspaceRefs }, "prod").workspaceRefs).toEqual(["main", "v*"]);
  for (const ref of ["-x", "a..b", "a b", "$(x)"])
    expect(() => parseSettings({ workspaceRefs: JSON.stringify([ref]) }, "dev")).toThrow(
      "must be the name of a branch or tag",
    );
});
