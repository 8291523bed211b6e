import { describe, expect, test } from "@jest/globals";
import { assertHost, missingPackages, UnsupportedHostError } from "../../../infra/local/host.ts";

const linux = { platform: "linux", uid: 0, has: () => true };

describe("assertHost", () => {
  test.each([
    ["no Linux", { ...linux, platform: "darwin" }, /needs Linux, this is darwin: `npm run dev`/],
    ["no root", { ...linux, uid: 1000 }, /needs root .*`sudo npm run up`, or `npm run dev`/],
    ["no apt", { ...linux, has: () => false }, /needs .*systemd-container.*no apt-get.*`npm run dev`/],
  ])("%s: fails with one sentence that has the solution", (_name, host, message) => {
    expect(() => assertHost(host)).toThrow(UnsupportedHostError);
    expect(() => assertHost(host)).toThrow(message);
  });

  test("accepts a host with all programs, or with apt to install them", () => {
    expect(() => assertHost(linux)).not.toThrow();
    expect(() => assertHost({ ...linux, has: (program) => program === "apt-get" })).not.toThrow();
  });
});

test("missingPackages lists each package once, sorted", () => {
  const missing = missingPackages({ ...linux, has: (program) => program === "ip" });
  expect(missing).toEqual([...new Set(missing)].sort());
  expect(missing).toContain("systemd-container");
  expect(missing).not.toContain("iproute2");
});
