import { describe, expect, test } from "@jest/globals";
import type { Identity } from "../../../../server/auth/upstream/identity.ts";
import { matches, parseRule, type Rule } from "../../../../server/auth/upstream/rules.ts";
import { parseProviders } from "../../../../server/auth/upstream/settings.ts";
import { readConfig } from "../../../../server/config/config.ts";

const TENANT = "8eaef023-2b34-4da1-9baa-8bc8c9d6a490";

describe("IDENTITY_PROVIDERS", () => {
  test("names each provider with its client, its people and its address", () => {
    const { result, problems } = parseProviders(
      `google client=1.apps.example allow=@example.com,Ada@Gmail.com ops=ada@gmail.com; entra tenant=${TENANT.toUpperCase()} client=2 allow=*;
       github client=3 allow=group:Acme/Platform; oidc issuer=https://id.example.com/realms/a client=4 allow=* label=Example_ID groups=roles scopes=roles,extra;`,
    );
    expect(problems).toEqual([]);
    expect(result).toMatchObject([
      {
        provider: "google",
        issuer: "https://accounts.google.com",
        label: "Google",
        allow: [
          { kind: "domain", value: "example.com" },
          { kind: "email", value: "ada@gmail.com" },
        ],
        ops: [{ kind: "email", value: "ada@gmail.com" }],
      },
      { provider: "entra", issuer: `https://login.microsoftonline.com/${TENANT}/v2.0` },
      {
        provider: "github",
        issuer: "https://github.com",
        allow: [{ kind: "group", value: "acme/platform" }],
      },
      {
        provider: "oidc",
        issuer: "https://id.example.com/realms/a",
        label: "Example ID",
        groupsClaim: "roles",
        scopes: ["roles", "extra"],
      },
    ]);
  });

  test.each([
    ["okta client=secret1 allow=*", "entry 1 does not begin with one of google, github, entra, oidc"],
    ["google allow=@example.com", "has no client="],
    ["google client=secret1", "has no allow="],
    ["google client=secret1 allow=*", "which would be everybody who has an account at Google"],
    ["github client=secret1 allow=*", "which would be everybody who has an account at GitHub"],
    ["google client=secret1 allow=group:dev", "Google tells no groups"],
    ["github client=secret1 allow=secret2", "an allow= with an entry that is not"],
    ["github client=secret1 allow=user:a ops=secret2", "an ops= with an entry that is not"],
    ["entra client=secret1 allow=* tenant=common", "has no tenant= with the directory (tenant) id"],
    ["oidc client=secret1 allow=*", "has no issuer="],
    ["oidc client=secret1 allow=* issuer=http://id.example.com", "issuer= that is not an https URL"],
    [
      "oidc client=secret1 allow=* issuer=https://a:secret2@id.example.com",
      "issuer= that is not an https URL",
    ],
    [
      "google client=secret1 allow=@example.com issuer=https://x.example",
      "has issuer=, which google does not",
    ],
    ["google client=secret1 client=secret2 allow=@example.com", "or has one twice"],
    [
      "google client=a allow=@a.example; google client=secret1 allow=@a.example",
      "entry 2 names google a second",
    ],
  ])("%j is refused, without its values in the message", (text, message) => {
    const { problems } = parseProviders(text);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain(message);
    expect(problems[0]).not.toMatch(/secret\d/);
  });

  test.each([
    [{ AUTH_MODE: "token" }, "IDENTITY_PROVIDERS is for AUTH_MODE=oauth"],
    [{}, "set IDENTITY_PROVIDER_SECRETS_FILE to a file"],
    [{ IDENTITY_PROVIDERS: "", LOCAL_SIGN_IN: "no" }, "nobody could sign in without IDENTITY_PROVIDERS"],
  ])("with %j the server does not start", (more, message) => {
    const env = {
      AUTH_MODE: "oauth",
      PUBLIC_URL: "https://mcp.example.com",
      IDENTITY_PROVIDERS: "github client=1 allow=user:ada",
      ...more,
    };
    expect(() => readConfig(env as NodeJS.ProcessEnv)).toThrow(message);
  });
});

describe("a rule", () => {
  const ada: Identity = {
    issuer: "https://id.example.com",
    subject: "1",
    name: "Ada",
    user: "adal",
    emails: ["ada@example.com"],
    domains: ["example.com"],
    groups: ["acme/platform"],
  };

  test.each([
    ["ada@example.com", true],
    ["ADA@EXAMPLE.COM", true],
    ["eve@example.com", false],
    ["@example.com", true],
    ["@ample.com", false],
    ["@sub.example.com", false],
    ["group:acme/platform", true],
    ["group:acme", false],
    ["user:AdaL", true],
    ["group:Acme/Platform", true],
    ["user:ada", false],
    ["*", true],
  ])("%s matches Ada: %s", (text, matching) => {
    expect(matches([parseRule(text, true) as Rule], ada)).toBe(matching);
  });

  test("tells subjects and groups apart by their case where the provider does", () => {
    const matching = (text: string, identity: Partial<Identity>) =>
      matches([parseRule(text, false) as Rule], { ...ada, ...identity });
    expect(matching("user:aBc", { user: "aBc" })).toBe(true);
    expect(matching("user:aBc", { user: "abc" })).toBe(false);
    expect(matching("group:Admins", { groups: ["admins"] })).toBe(false);
  });

  test.each(["", "ada", "@", "@example", "group:", "team:a", "a@b@c.example", "user:a b"])(
    "%j is no rule",
    (text) => {
      expect(parseRule(text, true)).toBeUndefined();
    },
  );
});
