import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "@jest/globals";
import { parse } from "yaml";
import { projectRoot } from "../../../infra/paths.ts";
import { settingsPage } from "../../../infra/settings/docs.ts";
import { projectConfig } from "../../../infra/settings/pulumi-yaml.ts";
import { parseSettings } from "../../../infra/settings.ts";

/** As the engine hands out a value. */
const text = (value: unknown) => (typeof value === "object" ? JSON.stringify(value) : String(value));

const file = (name: string) => readFile(join(projectRoot, name), "utf8");

test("docs/settings.md is what the schemas say (npm run docs)", async () => {
  expect(await file("docs/settings.md")).toBe(settingsPage());
});

test("Pulumi.yaml's config is what the schemas say (npm run docs)", async () => {
  expect(parse(await file("Pulumi.yaml")).config).toEqual(projectConfig());
});

test("the defaults in Pulumi.yaml mean the same as none", () => {
  const entries = Object.entries(projectConfig() as Record<string, { default: unknown }>);
  const raw = entries.map(([key, value]) => [key.replace(/^mcp-edge:/, ""), text(value.default)]);
  expect(parseSettings(Object.fromEntries(raw), "local")).toEqual(parseSettings({}, "local"));
});
