import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "@jest/globals";
import { parse } from "yaml";
import { projectRoot } from "../../../infra/paths.ts";
import { settingsPage } from "../../../infra/settings/docs.ts";
import { projectConfig } from "../../../infra/settings/pulumi-yaml.ts";
import { parseSettings } from "../../../infra/settings.ts";

/** Formats a value as the engine does. */
const text = (value: unknown) => (typeof value === "object" ? JSON.stringify(value) : String(value));

const file = (name: string) => readFile(join(projectRoot, name), "utf8");

test("docs/settings.md matches the schemas (npm run docs)", async () => {
  expect(await file("docs/settings.md")).toBe(settingsPage());
});

test("the config of Pulumi.yaml matches the schemas (npm run docs)", async () => {
  expect(parse(await file("Pulumi.yaml")).config).toEqual(projectConfig());
});

test("the defaults in Pulumi.yaml parse to the same settings as an empty configuration", () => {
  const entries = Object.entries(projectConfig() as Record<string, { default: unknown }>);
  const raw = entries.map(([key, value]) => [key.replace(/^mcp-edge:/, ""), text(value.default)]);
  expect(parseSettings(Object.fromEntries(raw), "local")).toEqual(parseSettings({}, "local"));
});
