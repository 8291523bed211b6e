import { expect, test } from "@jest/globals";
import { type LocalStatus, localStatusText, reportsOf } from "../../../cli/machine/local-status.ts";

const TEXT = `slot:    blue
release: ${"a".repeat(64)}
ready:   true
files:   as at first boot
nginx:   generation 2: 3 connections, has the new flows
flows:   12 of 262144
updates: ? (not looked yet) wait
certificate: no problem
`;

const status: LocalStatus = {
  ok: true,
  colour: "blue",
  release: "a".repeat(64),
  previous: "",
  ready: true,
  files: "",
  reports: reportsOf(TEXT),
};

test("the status of a machine is a line of what serves, and one for each report", () => {
  expect(localStatusText("local", status).split("\n")).toEqual([
    "local: release aaaaaaaaaaaa (blue), ready",
    "  nginx        generation 2: 3 connections, has the new flows",
    "  flows        12 of 262144",
    "  updates      not checked yet",
    "  certificate  no problem",
  ]);
});

test("a machine without a release, and an edge that does not pass connections on, are told with the next command", () => {
  const edge = { ok: false, text: "the origin 10.0.0.2 does not answer" };
  const text = localStatusText("local", { ...status, release: "", colour: "", ready: false, edge });
  expect(text).toContain("local: release none (no slot), not ready: npm run mcp-edge -- logs\n");
  expect(text).toMatch(/\nlocal, edge: the origin 10\.0\.0\.2 does not answer$/);
});
