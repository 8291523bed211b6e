import { describe, expect, test } from "@jest/globals";
import { withHosts } from "../../../infra/local/hosts-file.ts";

const before = "127.0.0.1 localhost\n::1 localhost\n";

describe("withHosts", () => {
  const added = withHosts(before, "local", "local.mcp-edge.test", ["10.77.0.10", "fd77::10"]);

  test("adds a marked line an address, and keeps the others", () => {
    expect(added).toBe(
      `${before}10.77.0.10 local.mcp-edge.test # mcp-edge local\nfd77::10 local.mcp-edge.test # mcp-edge local\n`,
    );
  });

  test("is idempotent, and takes out exactly what it put in", () => {
    expect(withHosts(added, "local", "local.mcp-edge.test", ["10.77.0.10", "fd77::10"])).toBe(added);
    expect(withHosts(added, "local", "", [])).toBe(before);
  });

  test("leaves another stack's lines, also one whose name ends alike", () => {
    const both = withHosts(added, "my-local", "my-local.mcp-edge.test", ["10.77.1.10"]);
    expect(withHosts(both, "local", "", [])).toBe(
      `${before}10.77.1.10 my-local.mcp-edge.test # mcp-edge my-local\n`,
    );
  });
});
