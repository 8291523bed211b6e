import { expect, test } from "@jest/globals";
import { serverArguments } from "../../../cli/commands/user.ts";

const LOCAL = { stack: "local", json: false };

test("what goes to the server's own command: a login is never an option", () => {
  expect(serverArguments(["list"], LOCAL)).toEqual(["user", "list"]);
  expect(serverArguments(["remove", "-x"], LOCAL)).toEqual(["user", "remove", "--", "-x"]);
  expect(serverArguments(["add", "ada"], { ...LOCAL, json: true, name: "Ada L", groups: "staff" })).toEqual([
    "user",
    "add",
    "--name=Ada L",
    "--groups=staff",
    "--json",
    "--",
    "ada",
  ]);
});
