import { describe, expect, test } from "@jest/globals";
import type { Desired } from "../../../infra/aws/desired.ts";
import { wantedKeys } from "../../../infra/aws/desired.ts";
import { outdated, prune } from "../../../infra/aws/prune.ts";

const DAY = 86_400_000;
const NOW = Date.parse("2026-11-26T00:00:00Z");
const wanted: Desired = { release: "aa", files: "bb", workspace: "cc", generation: "g" };
const archive = (key: string, days: number) => ({ key, at: new Date(NOW - days * DAY) });
const releases = (...days: number[]) => days.map((age) => archive(`releases/${age}.tar.zst`, age));

test("keys are the object keys that the machines read", () => {
  expect(wantedKeys(wanted)).toEqual(["releases/aa.tar.zst", "files/files-bb.tar", "workspaces/cc.bundle"]);
  expect(wantedKeys({ ...wanted, workspace: "" })).toHaveLength(2);
});

describe("an archive is outdated", () => {
  test("if it is more than 30 days old and there are five newer ones", () => {
    const all = releases(31, 40, 32, 1, 2, 33, 29, 300);
    expect(outdated(all, wanted, NOW)).toEqual([33, 40, 300].map((age) => `releases/${age}.tar.zst`));
  });

  test("never if it is in use, however old", () => {
    const all = [...releases(1, 2, 3, 4, 5, 6, 40), archive("releases/aa.tar.zst", 400)];
    expect(outdated(all, wanted, NOW)).toEqual(["releases/40.tar.zst"]);
  });

  test("never if it is one of the newest, after a year without a deployment", () => {
    expect(outdated(releases(400, 401, 402, 403, 404), wanted, NOW)).toEqual([]);
  });
});

test("a refused deletion is only a warning", async () => {
  const lines: string[] = [];
  const refused = async () => {
    throw new Error("s3:ListBucket is denied");
  };
  await prune({ get: refused, list: refused, remove: refused }, (line) => lines.push(line));
  expect(lines).toEqual(["warning: old archives remain in the bucket: s3:ListBucket is denied"]);
});
