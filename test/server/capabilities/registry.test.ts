import { describe, expect, test } from "@jest/globals";
import { Capabilities } from "../../../server/capabilities/registry.ts";

describe("Capabilities", () => {
  test("a snapshot is sorted, and its stamp depends on the facts alone", () => {
    const one = new Capabilities();
    one.set("ripgrep", true, "ripgrep 15");
    one.set("index", false, "not built yet");
    const other = new Capabilities();
    other.set("index", true, "1 repository");
    other.set("index", false, "not built yet");
    other.set("ripgrep", true, "ripgrep 15");
    expect(one.snapshot().capabilities.map((c) => c.name)).toEqual(["index", "ripgrep"]);
    expect(one.snapshot()).toEqual(other.snapshot());
    expect(one.snapshot().stamp).toMatch(/^[0-9a-f]{64}$/);
    const before = one.snapshot().stamp;
    one.set("index", true, "1 repository");
    expect(one.snapshot().stamp).not.toBe(before);
  });

  test("listeners hear of availability, not of reasons, until they leave", () => {
    const capabilities = new Capabilities();
    const heard: string[] = [];
    const leave = capabilities.onChange((c) => heard.push(`${c.name} ${c.available}`));
    capabilities.set("index", false, "not built yet");
    capabilities.set("index", false, "30 % built");
    capabilities.set("index", true, "1 repository");
    leave();
    capabilities.set("index", false, "lost");
    expect(heard).toEqual(["index false", "index true"]);
  });

  test("what needs something is allowed only while all of it is there; an unknown name is missing", () => {
    const capabilities = new Capabilities();
    capabilities.set("ripgrep", true, "ripgrep 15");
    expect(capabilities.allow({})).toBe(true);
    expect(capabilities.allow({ needs: ["ripgrep"] })).toBe(true);
    expect(capabilities.allow({ needs: ["ripgrep", "vectors"] })).toBe(false);
    expect(capabilities.missing({ needs: ["ripgrep", "vectors"] })).toEqual([
      { name: "vectors", available: false, why: "nothing provides it" },
    ]);
  });
});
