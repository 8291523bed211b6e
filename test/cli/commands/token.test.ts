import { expect, test } from "@jest/globals";
import { line, seconds, tokenCommand } from "../../../cli/commands/token.ts";

const TOKEN = { id: "a1", name: "ci", scopes: ["code:read", "ops"], createdAt: "2026-11-21T10:00:00.000Z" };

test("a token's line has scopes, expiry, last use and calls", () => {
  expect(line({ ...TOKEN, expiresAt: null })).toBe(
    "a1  ci  code:read,ops  made 2026-11-21T10:00:00.000Z  does not expire  never used  0 calls today",
  );
  const used = { lastUsedAt: "2026-11-21T11:00:00.000Z", callsToday: 7, quota: 50 };
  expect(line({ ...TOKEN, ...used, expiresAt: "2026-12-01T00:00:00.000Z" })).toMatch(
    /expires 2026-12-01T00:00:00.000Z {2}last used 2026-11-21T11:00:00.000Z {2}7 of 50 calls today$/,
  );
});

test.each([
  ["30d", 2_592_000],
  ["12h", 43_200],
  ["15m", 900],
  ["7", 7],
])("--ttl %s is %i s", (text, expected) => expect(seconds(text)).toBe(expected));

test.each([
  ["--ttl", "0"],
  ["--ttl", "soon"],
  ["--quota", "-1"],
  ["--quota", "many"],
])("%s %s is refused before a request to the machine", async (...wrong) => {
  const command = tokenCommand();
  let output = "";
  for (const one of [command, ...command.commands])
    one.exitOverride().configureOutput({
      writeErr: (text) => {
        output += text;
      },
    });
  await expect(command.parseAsync(["create", ...wrong], { from: "user" })).rejects.toThrow("invalid");
  expect(output).toContain(wrong[0]);
});
