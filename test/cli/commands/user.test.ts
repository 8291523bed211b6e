import { expect, test } from "@jest/globals";
import { serverArguments } from "../../../cli/commands/user.ts";

const LOCAL = { stack: "local", json: false };

test("user commands pass a login to the server's command as an argument, never as an option", () => {
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
