import { describe, expect, test } from "@jest/globals";
import * as z from "zod";
import { machineFiles } from "../../../cloud-init/machine-files.ts";
import { wholeNumber } from "../../../cloud-init/settings.ts";
import { settingsPage } from "../../../infra/settings/docs.ts";
import { machineSettings } from "../../../infra/settings/machine.ts";
import type { SettingMeta } from "../../../infra/settings/meta.ts";
import { projectConfig } from "../../../infra/settings/pulumi-yaml.ts";
import { SCHEMAS, type Schemas } from "../../../infra/settings/schemas.ts";
import { parseSettings } from "../../../infra/settings.ts";

/** Settings that exist only in this test. */
const made = {
  quotaPerDay: wholeNumber(0, 1000)
    .default(7)
    .meta({
      description: "Calls a day.",
      server: "QUOTA_PER_DAY",
    } satisfies SettingMeta),
  helpers: z
    .array(z.string().regex(/^[a-z]+$/, "must be a lower-case word"))
    .default([])
    .meta({
      description: "Names of helpers.",
      example: ["ada"],
      server: "HELPERS",
      edge: (helpers: string[]) => ({ HELPER_COUNT: helpers.length }),
    } satisfies SettingMeta),
};
const schemas: Schemas = { local: { ...SCHEMAS.local, ...made }, aws: { ...SCHEMAS.aws, ...made } };

const parsed = (raw: Record<string, string>) => parseSettings(raw, "local", schemas);

const fileOf = (raw: Record<string, string>, path: string) => {
  const around = { acmeServer: "https://acme.example.com/dir", workspace: "", workspaceName: "" };
  const files = machineFiles(machineSettings(parsed(raw), around, schemas));
  return files.find((file) => file.path === path)?.content.split("\n");
};

describe("a setting that is declared in one place", () => {
  test("is parsed, with its default", () => {
    expect(parsed({})).toMatchObject({ quotaPerDay: 7, helpers: [] });
    expect(parsed({ quotaPerDay: "9", helpers: '["ada"]' })).toMatchObject({
      quotaPerDay: 9,
      helpers: ["ada"],
    });
  });

  test("has error messages with commands, and is suggested for a misspelling", () => {
    expect(() => parsed({ quotaPerDay: "many", helpers: '["ada","R2"]', quotaPerDy: "1" })).toThrow(
      `The settings of stack "local" have 3 problems:
  - mcp-edge:quotaPerDay is "many", but must be a whole number from 0 to 1000; fix: pulumi config set mcp-edge:quotaPerDay 7 --stack local (Pulumi.local.yaml), or npm run up -- --set quotaPerDay=7
  - mcp-edge:helpers[1] is "R2", but must be a lower-case word; fix: pulumi config set --path 'mcp-edge:helpers[1]' ada --stack local (Pulumi.local.yaml), or npm run up -- --set 'helpers=["ada"]'
  - mcp-edge:quotaPerDy is not a setting (did you mean quotaPerDay?); fix: pulumi config rm mcp-edge:quotaPerDy --stack local (Pulumi.local.yaml), or npm run up -- --set quotaPerDy=`,
    );
  });

  test("is in Pulumi.yaml and in the documentation", () => {
    expect(projectConfig(schemas)).toMatchObject({
      "mcp-edge:quotaPerDay": { type: "integer", description: "Calls a day.", default: 7 },
      "mcp-edge:helpers": { description: "Names of helpers.", default: [] },
    });
    expect(settingsPage(schemas)).toContain("| `quotaPerDay` | Calls a day. | 0 to 1000 | `7` |\n");
  });

  test("reaches the machine's environments", () => {
    const raw = { quotaPerDay: "9", helpers: '["ada","grace"]' };
    expect(fileOf(raw, "/etc/mcp-edge/server.env")).toEqual(
      expect.arrayContaining(["QUOTA_PER_DAY=9", 'HELPERS="ada grace"']),
    );
    expect(fileOf(raw, "/etc/mcp-edge/edge.env")).toContain("HELPER_COUNT='2'");
    expect(fileOf({}, "/etc/mcp-edge/server.env")?.join()).not.toContain("HELPERS");
  });
});
