import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { readSecrets, splitSecrets } from "../../../cli/stack/secret-settings.ts";

let folder: string;
let file: string;
const CREDENTIALS = '{"user":"bot","token":"hush"}';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "mcp-edge-"));
  file = join(folder, "credentials.json");
  await writeFile(file, `${CREDENTIALS}\n`, { mode: 0o600 });
});
afterAll(() => rm(folder, { recursive: true }));

test("a secret of --set comes from its file, other values as they are", async () => {
  const given = { rateLimit: "@5", workspaceCredentials: `@${file}`, identityProviderSecrets: "" };
  expect(await readSecrets(given)).toEqual({ ...given, workspaceCredentials: CREDENTIALS });
});

test("a secret on the command line is refused, with the way that works and without the value", async () => {
  const refused = readSecrets({ workspaceCredentials: CREDENTIALS });
  await expect(refused).rejects.toThrow("--set workspaceCredentials=@FILE");
  await expect(refused).rejects.not.toThrow("hush");
});

test("a file that cannot be read is named", async () => {
  await expect(readSecrets({ workspaceCredentials: "@/none/here.json" })).rejects.toThrow(
    "--set workspaceCredentials=@/none/here.json: ENOENT",
  );
});

test("secrets are kept apart from what a file may hold", () => {
  const plain = { "mcp-edge:rateLimit": "5", "aws:region": "eu-central-1" };
  const secrets = { "mcp-edge:workspaceCredentials": CREDENTIALS };
  expect(splitSecrets({ ...plain, ...secrets })).toEqual({ plain, secrets });
});
