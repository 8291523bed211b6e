import { describe, expect, test } from "@jest/globals";
import { contextOf } from "../../../infra/policy/context.ts";
import { policyPack } from "../../../infra/policy/pack.ts";

const config = (values: object) => JSON.stringify(values);

describe("the context of a policy pack", () => {
  test.each([
    ["a stack's name", { PULUMI_STACK: "staging" }, "staging"],
    ["a name of its own", { PULUMI_STACK: "ada" }, "dev"],
    [
      "its setting",
      { PULUMI_STACK: "eu", PULUMI_CONFIG: config({ "mcp-edge:environment": "prod" }) },
      "prod",
    ],
    [
      "the setting before the name",
      { PULUMI_STACK: "prod", PULUMI_CONFIG: config({ "mcp-edge:environment": "dev" }) },
      "dev",
    ],
    [
      "an invalid setting, as prod",
      { PULUMI_STACK: "eu", PULUMI_CONFIG: config({ "mcp-edge:environment": "production" }) },
      "prod",
    ],
    ["only a state file, as prod", {}, "prod"],
    ["a state file and MCP_EDGE_ENVIRONMENT", { MCP_EDGE_ENVIRONMENT: "dev" }, "dev"],
    [
      "PULUMI_STACK, which takes precedence over MCP_EDGE_ENVIRONMENT",
      { PULUMI_STACK: "prod", MCP_EDGE_ENVIRONMENT: "dev" },
      "prod",
    ],
  ])("is read from %s", (_what, env, environment) => {
    expect(contextOf(env).environment).toBe(environment);
  });

  test("has the stack's secrets, except those too short to search for", () => {
    const secrets = JSON.stringify({ API_KEY: "a-long-one", MODE: "on" });
    const workspaceCredentials = JSON.stringify({ user: "bot", token: "a-token-of-git" });
    const settings = { "mcp-edge:secrets": secrets, "mcp-edge:workspaceCredentials": workspaceCredentials };
    const env = { PULUMI_STACK: "dev", PULUMI_CONFIG: config(settings) };
    expect(contextOf(env).secrets).toEqual(["a-long-one", "a-token-of-git"]);
  });

  test("determines whether the policies are advisory or mandatory", () => {
    const level = (environment: "dev" | "staging" | "prod") =>
      policyPack({ environment, secrets: [] }).enforcementLevel;
    expect([level("dev"), level("staging"), level("prod")]).toEqual(["advisory", "mandatory", "mandatory"]);
  });
});

test("every policy has a description, a reason, a fix and a severity", () => {
  for (const policy of policyPack({ environment: "prod", secrets: [] }).policies) {
    expect(policy.name).toMatch(/^[a-z0-9-]+$/);
    expect(policy.description).toMatch(/\. Why: .+\. Fix: .+/);
    expect(policy.remediationSteps).toBeTruthy();
    expect(policy.severity).toMatch(/^(low|medium|high|critical)$/);
  }
});
