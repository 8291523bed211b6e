import { expect, test } from "@jest/globals";
import { addressOrNetwork, bansCommand, bansTable, line } from "../../../cli/commands/bans.ts";

test("a ban's line has the reason and the end", () => {
  const ban = { address: "192.0.2.1", jail: "mcp-edge", since: "2026-11-21T10:00:00Z" };
  expect(line({ ...ban, until: "2026-11-21T10:10:00Z" })).toBe(
    "192.0.2.1  guessed credentials  since 2026-11-21T10:00:00Z  until 2026-11-21T10:10:00Z",
  );
  expect(line({ ...ban, jail: "mcp-edge-manual", until: null })).toMatch(
    /added by hand .* until it is lifted$/,
  );
  expect(line({ ...ban, jail: "my-own", until: null })).toContain("my-own");
});

test("a list of bans is a table of 80 columns", () => {
  const times = { since: "2026-11-21T10:00:00Z", until: "2026-11-21T10:10:00Z" };
  const table = bansTable([
    { address: "192.0.2.1", jail: "mcp-edge", ...times },
    { address: "2001:db8:1:5::/64", jail: "mcp-edge-manual", ...times, until: null },
  ]);
  expect(table.split("\n")).toEqual([
    "ADDRESS            REASON               SINCE              UNTIL",
    "192.0.2.1          guessed credentials  2026-11-21 10:00Z  2026-11-21 10:10Z",
    "2001:db8:1:5::/64  added by hand        2026-11-21 10:00Z  it is lifted",
  ]);
});

test.each(["192.0.2.1", "192.0.2.0/24", "2001:db8::7", "2001:db8::/48"])("%s can be banned", (text) =>
  expect(addressOrNetwork(text)).toBe(text),
);

test.each([
  "",
  "example.com",
  "192.0.2.1/33",
  "192.0.2.1/",
  "2001:db8::/129",
  "192.0.2.0/24/7",
  "--all",
  "192.0.2",
])("%j is refused before a request to the machine", async (text) => {
  const command = bansCommand();
  let output = "";
  for (const one of [command, ...command.commands])
    one.exitOverride().configureOutput({
      writeErr: (written) => {
        output += written;
      },
    });
  await expect(command.parseAsync(["lift", "--", text], { from: "user" })).rejects.toThrow("invalid");
  expect(output).toContain("192.0.2.0/24");
});
