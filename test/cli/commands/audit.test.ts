import { expect, test } from "@jest/globals";
import { serverArguments } from "../../../cli/commands/audit.ts";

test("each filter is passed on as one argument", () => {
  expect(serverArguments("list", { json: true, since: "7d", person: "--tool=x" })).toEqual([
    "audit",
    "list",
    "--since=7d",
    "--person=--tool=x",
    "--json",
  ]);
  expect(serverArguments("verify", { json: false })).toEqual(["audit", "verify"]);
});
