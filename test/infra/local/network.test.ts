import { describe, expect, test } from "@jest/globals";
import { machineAddress, networkOf, overlaps } from "../../../infra/local/network.ts";

describe("networkOf", () => {
  test("derives the bridge and both ranges from the number", () => {
    expect(networkOf(12)).toEqual({
      index: 12,
      bridge: "mcpe12",
      net4: "10.77.12",
      net6: "fd77:6564:6765:c",
    });
    expect(machineAddress(networkOf(0))).toEqual({ ipv4: "10.77.0.10", ipv6: "fd77:6564:6765:0::10" });
  });
});

describe("overlaps", () => {
  const network = networkOf(3);
  test.each([
    ["10.77.3.0/24", true],
    ["10.77.3.128/25", true],
    ["10.77.3.9", true],
    ["10.0.0.0/8", true],
    ["10.77.4.0/24", false],
    ["192.168.0.0/16", false],
    ["default", false],
    ["fd77:6564:6765:3::/64", false],
  ])("%s: %s", (destination, taken) => {
    expect(overlaps(network, [destination])).toBe(taken);
  });
});
