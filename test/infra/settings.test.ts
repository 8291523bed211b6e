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
    ["target", "azure"],
    ["auth", "none"],
  ])("%s = %s is refused", (key, value) => {
    expect(problems({ [key]: value })).toHaveLength(1);
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
