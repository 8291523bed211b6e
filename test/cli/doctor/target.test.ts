import { writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "@jest/globals";
import { runDoctor } from "../../../cli/doctor/run.ts";
import { DoctorUsageError, parseConnect, parseOrigin, readCa } from "../../../cli/doctor/target.ts";

describe("the address", () => {
  test.each([
    ["https://edge.example.com", "https://edge.example.com"],
    ["https://edge.example.com/", "https://edge.example.com"],
    ["https://edge.example.com:8443", "https://edge.example.com:8443"],
    ["HTTPS://[2001:db8::1]", "https://[2001:db8::1]"],
  ])("%s is accepted", (text, origin) => {
    expect(parseOrigin(text).origin).toBe(origin);
  });

  test.each([
    ["http://edge.example.com", "write https://edge.example.com"],
    ["edge.example.com", "write https://edge.example.com"],
    ["", "write it like https://edge.example.com"],
    ["https://", "names no host"],
    ["https://a b", "names no host"],
    ["ftp://edge.example.com", "not an https address"],
    ["https://edge.example.com/mcp", "has a path: write https://edge.example.com "],
    ["https://edge.example.com/?a=b", "has a path"],
    ["https://u:p@edge.example.com", "MCP_EDGE_TOKEN"],
  ])("%s is refused with advice", (text, advice) => {
    expect(() => parseOrigin(text)).toThrow(DoctorUsageError);
    expect(() => parseOrigin(text)).toThrow(advice);
  });

  test("is refused by runDoctor before any check", async () => {
    await expect(runDoctor({ url: "http://edge.example.com" })).rejects.toThrow(DoctorUsageError);
    await expect(runDoctor({ url: "https://edge.example.com", timeoutMs: 0 })).rejects.toThrow(
      "more than 0 ms",
    );
  });
});

test("--connect takes an IP address", () => {
  expect(parseConnect("192.0.2.1")).toBe("192.0.2.1");
  expect(parseConnect("[2001:db8::1]")).toBe("2001:db8::1");
  expect(() => parseConnect("edge.example.com")).toThrow("--connect takes an IP address");
});

test("--ca is PEM text or a file of it", () => {
  const pem = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
  const file = join(tmpdir(), `mcp-edge-ca-${process.pid}.pem`);
  writeFileSync(file, pem);
  expect(readCa(pem)).toBe(pem);
  expect(readCa(file)).toBe(pem);
  writeFileSync(file, "no certificate");
  expect(() => readCa(file)).toThrow("holds no certificate");
  expect(() => readCa("/nowhere/ca.pem")).toThrow("cannot be read");
});
