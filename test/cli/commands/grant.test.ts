import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, jest, test } from "@jest/globals";
import { grantCommand } from "../../../cli/commands/grant.ts";

let folder: string;
let file: string;
let output: string[];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "mcp-edge-"));
  file = join(folder, "Pulumi.dev.yaml");
  output = [];
  jest.spyOn(console, "log").mockImplementation((text: string) => void output.push(text));
});
afterEach(async () => {
  jest.restoreAllMocks();
  await rm(folder, { recursive: true });
});

const run = (...args: string[]) =>
  grantCommand((stack) => join(folder, `Pulumi.${stack}.yaml`)).parseAsync([...args, "--stack", "dev"], {
    from: "user",
  });

test("add, list and remove change only the setting", async () => {
  const before = "# Ours\nconfig:\n  aws:region: us-east-1 # here\n";
  await writeFile(file, before);
  await run("add", "group:dev", "--repositories", "app-*, docs", "--tools", "search_*");
  expect(output.join("\n")).toMatch(/first grant.*\n.*npm run up -- --stack dev/);
  await run("add", "token:ci", "--scopes", "code:read");
  expect(await readFile(file, "utf8")).toBe(`${before}  mcp-edge:grants:
    - who: group:dev
      repositories:
        - app-*
        - docs
      tools:
        - search_*
    - who: token:ci
      scopes:
        - code:read
`);
  output = [];
  await run("list");
  expect(output).toEqual(["group:dev repositories=app-*,docs tools=search_*\ntoken:ci scopes=code:read"]);
  await expect(run("remove", "user:ada")).rejects.toThrow("has no grant for user:ada");
  await run("remove", "group:dev");
  await run("remove", "token:ci");
  expect(await readFile(file, "utf8")).toBe(before);
  expect(output.join("\n")).toContain("There is no grant left");
});

test("add creates the file of a stack without one", async () => {
  await run("list");
  expect(output).toEqual([expect.stringContaining("No grants")]);
  await run("add", "*");
  expect(await readFile(file, "utf8")).toBe('config:\n  mcp-edge:grants:\n    - who: "*"\n');
});

test.each([
  [["ada"], "who must be"],
  [["*", "--scopes", "admin"], "scopes must be"],
  [["*", "--tools", "a b"], "tools must be"],
])("add %j changes nothing", async (args, message) => {
  await expect(run("add", ...args)).rejects.toThrow(message);
  await expect(readFile(file, "utf8")).rejects.toThrow("ENOENT");
});
