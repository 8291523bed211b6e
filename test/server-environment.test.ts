import { readFileSync } from "node:fs";
import { parseEnv } from "node:util";
import { expect, test } from "@jest/globals";
import { machineFiles } from "../cloud-init/machine-files.ts";
import { machineSettings } from "../infra/settings/machine.ts";
import { parseSettings } from "../infra/settings.ts";
import { Environment } from "../server/config/environment.ts";
import { variablesOf } from "../server/config/variable.ts";
import { parseGrants } from "../server/grants/parse-grants.ts";

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

test("the setting `grants` means the same to the server", () => {
  const grants = [
    { who: "group:dev", repositories: ["app-*", "docs"], tools: ["search_*"] },
    { who: "user:ada@example.com", scopes: ["code:read", "ops"] },
    { who: "*", repositories: ["public[12]?"] },
  ];
  const settings = parseSettings({ grants: JSON.stringify(grants) }, "local");
  const around = { acmeServer: "https://acme.example.com/dir", workspace: "", workspaceName: "" };
  const files = machineFiles(machineSettings(settings, around));
  const env = parseEnv(files.find(({ path }) => path === "/etc/mcp-edge/server.env")?.content ?? "");
  expect(parseGrants(env.GRANTS ?? "")).toEqual({ result: grants, problems: [] });
});

test.each([
  [[{ who: "ada" }]],
  [[{ who: "user:a b" }]],
  [[{ who: "*", tools: [] }]],
  [[{ who: "*", tool: ["read_file"] }]],
  [[{ who: "*", repositories: ["a;b"] }]],
  [[{ who: "*", scopes: ["admin"] }]],
])("grants %j are refused before anything is deployed", (grants) => {
  expect(() => parseSettings({ grants: JSON.stringify(grants) }, "local")).toThrow("grants");
});
