import { describe, expect, test } from "@jest/globals";
import { freeDomain } from "../../../infra/local/domain.ts";
import { markerOf, withHosts } from "../../../infra/local/hosts-file.ts";

const local = markerOf("local", "/home");
const before = "127.0.0.1 localhost\n::1 localhost\n";

const added = withHosts(before, local, "local.mcp-edge.test", ["10.77.0.10", "fd77::10"]);

describe("withHosts", () => {
  test("adds a marked line for each address, and keeps the other lines", () => {
    expect(added).toBe(
      `${before}10.77.0.10 local.mcp-edge.test ${local}\nfd77::10 local.mcp-edge.test ${local}\n`,
    );
  });

  test("is idempotent, and removes exactly the lines that it added", () => {
    expect(withHosts(added, local, "local.mcp-edge.test", ["10.77.0.10", "fd77::10"])).toBe(added);
    expect(withHosts(added, local, "", [])).toBe(before);
  });

  test.each([
    ["stack", markerOf("my-local", "/home")],
    ["checkout", markerOf("local", "/other")],
  ])("keeps the lines of another %s", (_whose, other) => {
    const both = withHosts(added, other, "other.mcp-edge.test", ["10.77.1.10"]);
    expect(withHosts(both, local, "", [])).toBe(`${before}10.77.1.10 other.mcp-edge.test ${other}\n`);
  });
});

describe("freeDomain", () => {
  test("is the stack's own name, or the next free one", () => {
    expect(freeDomain("local", before)).toBe("local.mcp-edge.test");
    expect(freeDomain("local", added)).toBe("local-2.mcp-edge.test");
    const both = withHosts(added, markerOf("local", "/other"), "local-2.mcp-edge.test", ["10.77.1.10"]);
    expect(freeDomain("local", both)).toBe("local-3.mcp-edge.test");
    expect(freeDomain("local", "# 127.0.0.1 local.mcp-edge.test\n")).toBe("local.mcp-edge.test");
  });
});
