import { expect, test } from "@jest/globals";
import { pickMachine } from "../../../cli/machine/pick.ts";
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

test("replace chooses the edge or its origin by name, and another command the machine that runs the server", () => {
  const two = [
    { ...machine("i-0a"), kind: "edge" as const },
    { ...machine("i-0b"), kind: "origin" as const },
  ];
  expect(chosenMachines(two, "prod").map(({ kind }) => kind)).toEqual(["edge", "origin"]);
  expect(chosenMachines(two, "prod", "origin")).toEqual([two[1]]);
  expect(pickMachine(two, { stack: "prod" })).toBe(two[1]);
  expect(pickMachine(two, { stack: "prod", wanted: "edge" })).toBe(two[0]);
  expect(pickMachine(machines, { stack: "prod" })).toBe(machines[0]);
  expect(() => pickMachine(two, { stack: "prod", wanted: "third" })).toThrow(
    "Stack prod has no machine third; it has i-0a (edge), i-0b (origin) (1 to 2)",
  );
});
