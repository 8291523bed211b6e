import { expect, test } from "@jest/globals";
import { serverArguments } from "../../../cli/machine/server-command.ts";

test("an operand is passed to the server's command as an argument, never as an option", () => {
  expect(serverArguments(["user", "list"], { json: false })).toEqual(["user", "list"]);
  expect(serverArguments(["user", "remove"], { json: true }, ["-x"])).toEqual([
    "user",
    "remove",
    "--json",
    "--",
    "-x",
  ]);
});

test("a flag is passed as one argument", () => {
  const flags = { json: true, now: undefined, since: "7d", person: "--tool=x", name: "Ada L" };
  expect(serverArguments(["audit", "list"], flags)).toEqual([
    "audit",
    "list",
    "--json",
    "--since=7d",
    "--person=--tool=x",
    "--name=Ada L",
  ]);
});
