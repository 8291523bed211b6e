import { describe, expect, test } from "@jest/globals";
import { machineSettings } from "../../../infra/settings/machine.ts";
import { parseSettings, type SettingsError } from "../../../infra/settings.ts";

const AWS = { target: "aws", domain: "mcp.example.com", workspace: "." };
const JWT = { issuer: "https://login.example.com/tenant", audience: "api://mcp-edge" };
const jwt = (value: object) => JSON.stringify(value);

const problems = (raw: Record<string, string>, stack = "prod"): string[] => {
  try {
    parseSettings(raw, stack);
    return [];
  } catch (error) {
    return (error as SettingsError).problems;
  }
};

/** The variables of authentication that the server and the machine's scripts get. */
const variables = (raw: Record<string, string>) => {
  const surroundings = { acmeServer: "https://acme.example.com/dir", workspace: "", workspaceName: "code" };
  const { serverEnvironment, edgeEnvironment } = machineSettings(parseSettings(raw, "prod"), surroundings);
  const ofAuth = (all: object) =>
    Object.fromEntries(Object.entries(all).filter(([name]) => /^(AUTH|JWT|TOKEN)_/.test(name)));
  return { server: ofAuth(serverEnvironment), edge: ofAuth(edgeEnvironment) };
};

describe("auth", () => {
  test("is oauth on both targets", () => {
    for (const raw of [{}, AWS]) expect(variables(raw).server).toEqual({ AUTH_MODE: "oauth" });
  });

  test("none is enough on this host, and has to be confirmed for a machine on the internet", () => {
    expect(variables({ auth: "none" }).server).toEqual({ AUTH_MODE: "none", AUTH_NONE_ALLOWED: "yes" });
    const [problem = "", ...others] = problems({ ...AWS, auth: "none" });
    expect(others).toEqual([]);
    expect(problem).toMatch(/^mcp-edge:auth is none, so anybody on the internet could call the tools/);
    expect(problem).toContain("pulumi config set mcp-edge:auth oauth --stack prod");
    expect(problem).toContain("pulumi config set mcp-edge:authNoneAllowed true --stack prod");
    expect(variables({ ...AWS, auth: "none", authNoneAllowed: "true" }).server).toEqual({
      AUTH_MODE: "none",
      AUTH_NONE_ALLOWED: "yes",
    });
    expect(problems({ ...AWS, authNoneAllowed: "true" })).toEqual([
      expect.stringMatching(/authNoneAllowed confirms auth: none, and auth is oauth; fix: pulumi config rm/),
    ]);
  });
});

describe("jwt", () => {
  test("becomes the server's variables", () => {
    const scopes = { "mcp.read": "code:read", "https://id.example.com/admin": "ops" };
    const raw = { ...AWS, auth: "jwt", jwt: jwt({ ...JWT, scopes, clockSkew: "30", untypedAllowed: true }) };
    expect(variables(raw).server).toEqual({
      AUTH_MODE: "jwt",
      JWT_ISSUER: JWT.issuer,
      JWT_AUDIENCE: JWT.audience,
      JWT_SCOPES: "mcp.read=code:read https://id.example.com/admin=ops",
      JWT_CLOCK_SKEW: "30",
      JWT_UNTYPED_ALLOWED: "yes",
    });
    expect(variables({ ...AWS, auth: "jwt", jwt: jwt({ issuer: JWT.issuer }) }).server).toEqual({
      AUTH_MODE: "jwt",
      JWT_ISSUER: JWT.issuer,
    });
  });

  test.each([
    [
      {},
      "mcp-edge:jwt.issuer is missing, but must be the issuer's https URL",
      "jwt.issuer https://login.example.com",
    ],
    [
      { issuer: "http://login.example.com" },
      "mcp-edge:jwt.issuer is",
      "jwt.issuer https://login.example.com",
    ],
    [{ ...JWT, audience: "two words" }, "mcp-edge:jwt.audience is", "jwt.audience api://mcp-edge"],
    [{ ...JWT, clockSkew: 3600 }, "must be a whole number of seconds from 0 to 300", "jwt.clockSkew 60"],
    [
      { ...JWT, scopes: { "mcp.read": "all" } },
      "must be one of code:read, ops",
      `'mcp-edge:jwt.scopes["mcp.read"]' code:read --stack prod`,
    ],
    [{ ...JWT, scopes: { "a=b": "ops" } }, "which must be a scope or role of the issuer", "pulumi config rm"],
    [
      { ...JWT, keys: "x" },
      "but must be an object with issuer, audience, scopes, clockSkew and untypedAllowed",
      "jwt.issuer",
    ],
  ])("%j is refused", (value, what, command) => {
    const [problem = "", ...others] = problems({ ...AWS, auth: "jwt", jwt: jwt(value) });
    expect(others).toEqual([]);
    const [text, fix] = problem.split("; fix: ");
    expect(text).toContain(what);
    expect(fix).toContain(command);
  });

  test("and auth go together", () => {
    expect(problems({ ...AWS, auth: "jwt" })).toEqual([
      expect.stringContaining(
        "auth is jwt, and jwt names no issuer; fix: pulumi config set --path mcp-edge:jwt.issuer https://login.example.com",
      ),
    ]);
    expect(problems({ ...AWS, jwt: jwt(JWT) })).toEqual([
      expect.stringContaining(
        "jwt is for auth: jwt, and auth is oauth; fix: pulumi config set mcp-edge:auth jwt",
      ),
    ]);
  });

  test("is written by `up --set` as a whole on this host", () => {
    expect(problems({ auth: "jwt" }, "local")[0]).toContain(
      `npm run up -- --set 'jwt={"issuer":"https://login.example.com"}'`,
    );
  });
});

describe("tokenDomain", () => {
  test("reaches the server and the script of the certificate", () => {
    expect(variables({ ...AWS, tokenDomain: "token.example.com" })).toEqual({
      server: { AUTH_MODE: "oauth", TOKEN_DOMAIN: "token.example.com" },
      edge: { TOKEN_DOMAIN: "token.example.com" },
    });
  });

  test.each([
    [{ tokenDomain: "mcp.example.com" }, "tokenDomain is the domain itself"],
    [{ tokenDomain: "https://token.example.com" }, "must be a lower-case host name"],
    [
      { tokenDomain: "token.example.com", auth: "token" },
      "tokenDomain is for a server where clients sign in, and auth is token",
    ],
    [
      { tokenDomain: "token.example.net", zone: "example.com" },
      "zone example.com does not hold the tokenDomain",
    ],
  ])("%j is refused", (more, what) => {
    expect(problems({ ...AWS, ...more })).toEqual([expect.stringContaining(what)]);
  });
});
