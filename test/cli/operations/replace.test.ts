import { expect, test } from "@jest/globals";
import { chosenMachines } from "../../../cli/operations/replace.ts";

const machine = (instance: string) => ({
  instance,
  ipv4: "",
  ipv6: "",
  urn: `urn-${instance}`,
  volumeUrn: "",
});
const machines = [machine("i-0a"), machine("i-0b")];
const chosen = (which?: string) => chosenMachines(machines, "prod", which).map(({ urn }) => urn);

test("replace chooses all machines, or the one with a number or id", () => {
  expect(chosen()).toEqual(["urn-i-0a", "urn-i-0b"]);
  expect(chosen("2")).toEqual(["urn-i-0b"]);
  expect(chosen("i-0a")).toEqual(["urn-i-0a"]);
});

test.each(["0", "3", "i-0c", "two"])("replace refuses %s, which is no machine of the stack", (which) => {
  expect(() => chosen(which)).toThrow(`Stack prod has no machine ${which}; it has i-0a, i-0b (1 to 2)`);
});

test("replace refuses a stack without machines", () => {
  expect(() => chosenMachines([], "prod")).toThrow("pulumi up --stack prod");
});
