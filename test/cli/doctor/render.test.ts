import { stripVTControlCharacters } from "node:util";
import { describe, expect, test } from "@jest/globals";
import type { CheckResult, DoctorReport } from "../../../cli/doctor/check.ts";
import { progressText } from "../../../cli/doctor/progress.ts";
import { formatMs, renderReport } from "../../../cli/doctor/render.ts";

const line = (id: string, title: string, rest: Partial<CheckResult> = {}): CheckResult => ({
  id,
  title,
  tried: `tried ${id}`,
  got: `got ${id}`,
  ok: true,
  ms: 7,
  ...rest,
});

const report: DoctorReport = {
  url: "https://edge.test",
  at: "2026-11-21T12:00:00.000Z",
  ms: 15_432,
  ok: false,
  checks: [
    line("dns", "DNS"),
    line("udp", "UDP (QUIC)", { ok: false, ms: 10_000, fix: "Open UDP 443: sudo ufw allow 443/udp" }),
    line("http3", "HTTP/3", {
      ok: false,
      ms: 0,
      got: "not tried: UDP (QUIC) failed",
      fix: "Fix",
      blockedBy: ["UDP (QUIC)"],
    }),
  ],
};

describe("the report as text", () => {
  test("is aligned, and has the request and the fix for a failed check", () => {
    expect(renderReport(report, { colour: false })).toBe(
      `https://edge.test

✓ DNS           7 ms  got dns
✗ UDP (QUIC)  10.0 s  got udp
    tried  tried udp
    fix    Open UDP 443: sudo ufw allow 443/udp
✗ HTTP/3        0 ms  not tried: UDP (QUIC) failed

2 of 3 checks failed in 15.4 s`,
    );
  });

  test("says that all checks passed", () => {
    const good = { ...report, ok: true, checks: [line("dns", "DNS")] };
    expect(renderReport(good, { colour: false })).toMatch(/\n\nAll 1 checks passed in 15.4 s$/);
  });

  test("has the same text with colours", () => {
    const colourful = renderReport(report, { colour: true });
    expect(colourful).toContain("\u001b[32m✓");
    expect(colourful).toContain("\u001b[31m✗");
    expect(stripVTControlCharacters(colourful)).toBe(renderReport(report, { colour: false }));
  });

  test("replaces control characters from the examined host", () => {
    const got = "a\u001b]52;c;ZXZpbA==\u0007\r\u009b2J\u202eb";
    const hostile = { ...report, checks: [line("dns", "DNS", { got, ok: false, fix: got })] };
    const text = renderReport(hostile, { colour: false });
    expect(text).toContain("  a?]52;c;ZXZpbA==???2J?b\n");
    expect(text).not.toMatch(/[^\P{Cc}\n]|\u202e/u);
  });

  test("wraps long text under its column", () => {
    const long = { ...report, checks: [line("dns", "DNS", { got: "word ".repeat(20).trim() })] };
    const lines = renderReport(long, { colour: false, width: 60 }).split("\n").slice(2, -2);
    expect(lines).toEqual([
      `✓ DNS  7 ms  ${"word ".repeat(9).trim()}`,
      `             ${"word ".repeat(9).trim()}`,
      "             word word",
    ]);
  });
});

test("formats times", () => {
  expect([0, 999, 1_000, 15_432].map(formatMs)).toEqual(["0 ms", "999 ms", "1.0 s", "15.4 s"]);
});

test("the progress names the running checks", () => {
  expect(progressText(3, 0, 21, ["DNS"], 1)).toBe("3 of 21 done, 1 s · waiting for DNS");
  expect(progressText(3, 1, 21, ["a", "b", "c", "d", "e"], 2)).toBe(
    "3 of 21 done, 1 failed, 2 s · waiting for a, b, c and 2 more",
  );
  expect(progressText(21, 0, 21, [], 15)).toBe("21 of 21 done, 15 s");
});
