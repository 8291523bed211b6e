import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "@jest/globals";
import { parse } from "yaml";
import { projectRoot } from "../../infra/paths.ts";
import { type AwsSettings, parseSettings, rawSettings } from "../../infra/settings.ts";

async function configOf(stack: string): Promise<Record<string, string>> {
  const { config } = parse(await readFile(join(projectRoot, `Pulumi.${stack}.yaml`), "utf8"));
  return Object.fromEntries(Object.entries(config).map(([key, value]) => [key, String(value)]));
}

const settingsOf = async (stack: string) =>
  parseSettings(
    { ...rawSettings(await configOf(stack)), domain: "mcp.example.com", workspace: "." },
    stack,
  ) as AwsSettings;

describe("the stacks that come with the project", () => {
  test.each(["dev", "staging", "prod"])("%s is valid once domain and workspace are set", async (stack) => {
    const config = await configOf(stack);
    expect(config["aws:region"]).toMatch(/^[a-z]{2}-[a-z]+-\d$/);
    expect(() => parseSettings(rawSettings(config), stack)).toThrow(
      /have 2 problems:\n {2}- mcp-edge:domain must be set.*\n {2}- mcp-edge:workspace must be set/,
    );
    expect((await settingsOf(stack)).environment).toBe(stack);
  });

  test("differ in protection, alarms, ACME server, log retention and instance type", async () => {
    const [dev, staging, prod] = await Promise.all(["dev", "staging", "prod"].map(settingsOf));
    const pick = (settings: AwsSettings | undefined) => [
      settings?.protect,
      settings?.alarms,
      settings?.acme,
      settings?.logRetentionDays,
      settings?.instanceType,
    ];
    expect([pick(dev), pick(staging), pick(prod)]).toEqual([
      [false, "basic", "letsencrypt-staging", 30, "t4g.small"],
      [false, "full", "letsencrypt", 14, "t4g.small"],
      [true, "full", "letsencrypt", 365, "t4g.medium"],
    ]);
  });
});
