import { readFileSync } from "node:fs";
import { parseEnv } from "node:util";
import { expect, test } from "@jest/globals";
import { machineFiles } from "../cloud-init/machine-files.ts";
import { machineSettings } from "../infra/settings/machine.ts";
import { parseSettings } from "../infra/settings.ts";
import { Environment } from "../server/config/environment.ts";
import { variablesOf } from "../server/config/variable.ts";

// Provisioning and server do not import each other: they meet in the names of these variables.
test("every variable that the settings and the template write is one that the server reads", () => {
  expect(readFileSync("cloud-init/files/env/server.env.liquid", "utf8")).toContain("serverEnvironment");
  const known = variablesOf(Environment).map(({ variable }) => variable);
  const settings = parseSettings({ allowedOrigins: '["https://chat.example.com"]' }, "local");
  const around = { acmeServer: "https://acme.example.com/dir", workspace: "", workspaceName: "" };
  const files = machineFiles(machineSettings(settings, around));
  const written = Object.keys(
    parseEnv(files.find(({ path }) => path === "/etc/mcp-edge/server.env")?.content ?? ""),
  );
  expect(written).toEqual(expect.arrayContaining(["PUBLIC_URL", "ALLOWED_ORIGINS", "RATE_LIMIT_TOKEN"]));
  expect(written.filter((name) => !known.includes(name))).toEqual([]);
});
