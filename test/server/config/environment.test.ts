import { readdir, readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { expect, test } from "@jest/globals";
import { Environment } from "../../../server/config/environment.ts";
import {
  environmentHelp,
  environmentTables,
  withEnvironmentTables,
} from "../../../server/config/reference.ts";
import { wholeNumber } from "../../../server/config/types.ts";
import { ConfigError, parseVariables, variable, variablesOf } from "../../../server/config/variable.ts";

test("the tables in docs/server.md are those of the schema (npm run docs)", async () => {
  const page = await readFile("docs/server.md", "utf8");
  expect(page).toBe(withEnvironmentTables(page, Environment));
});

test("a page without the marks is refused", () => {
  expect(() => withEnvironmentTables("# A page", Environment)).toThrow("needs the lines");
});

test("a variable that is added to the schema is parsed, checked, documented and helped with", () => {
  const added = Environment.extend({
    spare: variable("SPARE_SECONDS", wholeNumber(1, 9), {
      description: "What a test adds.",
      default: "3",
      example: "4",
      unit: "seconds",
    }),
  });
  expect(parseVariables(added, {}).spare).toBe(3);
  expect(parseVariables(added, { SPARE_SECONDS: "9" }).spare).toBe(9);
  expect(() => parseVariables(added, { SPARE_SECONDS: "10" })).toThrow(
    new ConfigError(["SPARE_SECONDS=10: must be a whole number from 1 to 9; for example: SPARE_SECONDS=4"]),
  );
  expect(environmentTables(added)).toContain(
    "| `SPARE_SECONDS` | What a test adds. | whole number from 1 to 9 (seconds) | `3` |",
  );
  expect(environmentHelp(added).replaceAll(/\s+/g, " ")).toContain(
    " SPARE_SECONDS What a test adds. Values: whole number from 1 to 9 (seconds). Default: 3. Example: SPARE_SECONDS=4 ",
  );
});

test("every variable has one name, a type, a sentence, and an example that it accepts", () => {
  const all = variablesOf(Environment);
  expect(new Set(all.map((v) => v.variable)).size).toBe(all.length);
  for (const { variable, type, description, example } of all) {
    expect(variable).toMatch(/^[A-Z][A-Z_]+[A-Z*]$/);
    expect(type.length).toBeGreaterThan(3);
    expect(description).toMatch(/^[A-Z`].*\.$/);
    if (example !== undefined) expect(parseVariables(Environment, { [variable]: example })).toBeDefined();
  }
});

test("a secret's value is in no problem, whatever it is", () => {
  for (const { variable, secret, printable } of variablesOf(Environment)) {
    if (!secret) continue;
    expect(printable).toBe(false);
    try {
      parseVariables(Environment, { [variable]: "hunter2" });
    } catch (error) {
      expect((error as Error).message).not.toContain("hunter2");
    }
  }
});

test("the environment is read by main.ts and the configuration alone", async () => {
  const files = await readdir("server", { recursive: true });
  const readers: string[] = [];
  for (const file of files.filter((name) => name.endsWith(".ts")))
    if (/\bprocess\.env\b|\benv\b.*from "node:process"/.test(await readFile(join("server", file), "utf8")))
      readers.push(file);
  expect(readers.sort()).toEqual(["config/path.ts", "main.ts"]);
});

test("the machine's environment file sets only variables of the schema", async () => {
  const file = await readFile(resolve("test/cloud-init/golden/etc/mcp-edge/server.env"), "utf8");
  const known = new Set(variablesOf(Environment).map((v) => v.variable));
  const set = [...file.matchAll(/^([A-Z_]+)=/gm)].map(([, name = ""]) => name);
  expect(set.length).toBeGreaterThan(5);
  expect(set.filter((name) => !known.has(name))).toEqual([]);
});
