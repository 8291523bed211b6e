import { describe, expect, test } from "@jest/globals";
import { available, pickRelease, releasesText, withStates } from "../../../cli/machine/releases.ts";

const [one, two, three] = ["1111", "2222", "22ff"].map((start) => start.padEnd(64, "0")) as [
  string,
  string,
  string,
];
const entry = (release: string, day: number) => ({
  ...{ release, files: "f", workspace: "", generation: `g${day}`, tags: {} },
  at: `2026-11-0${day}T10:00:00.000Z`,
});
const wanted = { release: two, files: "f", workspace: "", generation: "g" };
/** The newest first: `two` came back after `three`. */
const kept = withStates([entry(two, 4), entry(three, 3), entry(two, 2), entry(one, 1)], wanted);

test("each release is listed once, with the previous one marked", () => {
  expect(releasesText(kept)).toBe(
    "222200000000  2026-11-04 10:00:00Z  active\n22ff00000000  2026-11-03 10:00:00Z  previous\n111100000000  2026-11-01 10:00:00Z  kept",
  );
});

describe("the release of a rollback", () => {
  test("is the previous one, or one whose hash begins as given", () => {
    expect(pickRelease(kept, undefined).release).toBe(three);
    expect(pickRelease(kept, "1111").release).toBe(one);
    expect(pickRelease(kept, two).release).toBe(two);
  });

  test.each([
    ["22", /No kept release begins with 22 .*Kept:\n222200000000/s],
    ["abcd", /No kept release begins with abcd/],
    ["", /No kept release begins with/],
  ])("is refused as %j, with a list of what is kept", (name, message) => {
    expect(() => pickRelease(kept, name)).toThrow(message);
  });

  test("is refused if two fit, or if there is no previous one", () => {
    const similar = [...kept, { release: "2222".padEnd(64, "f"), at: "", state: "kept" as const }];
    expect(() => pickRelease(similar, "2222")).toThrow(/2222 fits 2 releases/);
    expect(() => pickRelease([], undefined)).toThrow("There is no previous release to return to.");
  });
});

test("a rollback does not return to a deployment of other machines", () => {
  const entry = (files: string, edgeFiles?: string) => ({
    ...{ release: "a", files, workspace: "", generation: "g", at: "", tags: {} },
    ...(edgeFiles ? { edgeFiles } : {}),
  });
  const [one, two] = [entry("b"), entry("c", "d")];
  const keys = new Set(["releases/a.tar.zst", ...["b", "c", "d"].map((hash) => `files/files-${hash}.tar`)]);
  expect(available([one, two], one, keys)).toEqual([one]);
  expect(available([one, two], two, keys)).toEqual([two]);
  keys.delete("files/files-d.tar");
  expect(available([one, two], two, keys)).toEqual([]);
});
