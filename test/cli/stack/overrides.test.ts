import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, test } from "@jest/globals";

let home: string;
let file: string;
let overrides: typeof import("../../../cli/stack/overrides.ts");
const before = process.env.MCP_EDGE_HOME;
const CREDENTIALS = '{"user":"bot","token":"hush"}';
const SECRETS = { workspaceCredentials: CREDENTIALS, identityProviderSecrets: '{"google":"hush too"}' };

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), "mcp-edge-home-"));
  process.env.MCP_EDGE_HOME = home;
  overrides = await import("../../../cli/stack/overrides.ts");
  file = join(home, "stacks/local/overrides.json");
});
beforeEach(() => rm(file, { force: true }));
afterAll(async () => {
  if (before === undefined) delete process.env.MCP_EDGE_HOME;
  else process.env.MCP_EDGE_HOME = before;
  await rm(home, { recursive: true });
});

test("secrets are encrypted on the disk, and other settings are not", async () => {
  await overrides.rememberOverrides("local", { ...SECRETS, rateLimit: "5" });
  const text = await readFile(file, "utf8");
  expect(text).not.toContain("hush");
  expect(JSON.parse(text)).toEqual({
    rateLimit: "5",
    workspaceCredentials: { secure: expect.stringMatching(/^v1:/) },
    identityProviderSecrets: { secure: expect.stringMatching(/^v1:/) },
  });
  for (const one of [file, join(home, "passphrase")]) expect((await stat(one)).mode & 0o777).toBe(0o600);
  expect(await overrides.withOverrides("local", {})).toEqual({ ...SECRETS, rateLimit: "5" });
});

test("the passphrase is made once, however many make it at the same time", async () => {
  const { decryptText, encryptText, ensurePassphrase } = await import("../../../cli/stack/passphrase.ts");
  await rm(join(home, "passphrase"));
  await Promise.all(Array.from({ length: 20 }, ensurePassphrase));
  const texts = ["a", "b", "c"];
  const encrypted = await Promise.all(texts.map((text) => encryptText(text, "x")));
  expect(await Promise.all(encrypted.map((one) => decryptText(one, "x")))).toEqual(texts);
  expect(await readdir(home)).toEqual(expect.not.arrayContaining([expect.stringMatching(/^passphrase\./)]));
});

test("an empty value takes an override back, also a secret", async () => {
  await overrides.rememberOverrides("local", { ...SECRETS, rateLimit: "5" });
  await overrides.rememberOverrides("local", { workspaceCredentials: "", rateLimit: "" });
  const { identityProviderSecrets } = SECRETS;
  expect(await overrides.withOverrides("local", {})).toEqual({ identityProviderSecrets });
});

test("a secret that an earlier version kept in clear is encrypted by the next change", async () => {
  await mkdir(join(file, ".."), { recursive: true });
  await writeFile(file, JSON.stringify({ workspaceCredentials: CREDENTIALS }), { mode: 0o644 });
  expect(await overrides.withOverrides("local", {})).toEqual({ workspaceCredentials: CREDENTIALS });
  await overrides.rememberOverrides("local", {});
  expect(await readFile(file, "utf8")).not.toContain("hush");
  expect((await stat(file)).mode & 0o777).toBe(0o600);
});

test.each([
  ["of another passphrase", async () => writeFile(join(home, "passphrase"), "another")],
  [
    "moved to another setting",
    async () => {
      const { workspaceCredentials } = JSON.parse(await readFile(file, "utf8"));
      await writeFile(file, JSON.stringify({ identityProviderSecrets: workspaceCredentials }));
    },
  ],
])("a secret %s is refused with the command that sets it again", async (_, change) => {
  await overrides.rememberOverrides("local", { workspaceCredentials: CREDENTIALS });
  await change();
  await expect(overrides.withOverrides("local", {})).rejects.toThrow(
    /npm run up -- --set (workspaceCredentials|identityProviderSecrets)=@FILE/,
  );
  const again = { workspaceCredentials: CREDENTIALS, identityProviderSecrets: "" };
  expect(await overrides.withOverrides("local", again)).toEqual({ workspaceCredentials: CREDENTIALS });
});
