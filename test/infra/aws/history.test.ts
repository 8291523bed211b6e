import { expect, test } from "@jest/globals";
import { deploymentsOf, HISTORY, recordDeployment } from "../../../infra/aws/history.ts";
import { outdated } from "../../../infra/aws/prune.ts";

/** A bucket in memory. */
function bucket(desired: object) {
  const objects = new Map([["desired.json", JSON.stringify(desired)]]);
  return {
    objects,
    get: async <T>(key: string) => {
      const text = objects.get(key);
      return text === undefined ? undefined : (JSON.parse(text) as T);
    },
    put: async (key: string, text: string) => void objects.set(key, text),
    list: async (prefix: string) =>
      [...objects.keys()].filter((key) => key.startsWith(prefix)).map((key) => ({ key, at: new Date() })),
  };
}

const day = (number: number) => new Date(Date.UTC(2026, 10, number));

test("a deployment is added with what it takes to repeat it", async () => {
  const desired = { release: "r", files: "f", workspace: "w", generation: "g", attempt: "2026-11-26" };
  const shelf = bucket(desired);
  await recordDeployment(shelf, "g", { Stack: "prod" }, day(1));
  expect(await deploymentsOf(shelf)).toEqual([
    {
      at: "2026-11-01T00:00:00.000Z",
      release: "r",
      files: "f",
      workspace: "w",
      generation: "g",
      tags: { Stack: "prod" },
    },
  ]);
});

test("a deployment that another one has replaced in the meantime is not added", async () => {
  const shelf = bucket({ release: "r", files: "f", workspace: "", generation: "newer" });
  await recordDeployment(shelf, "g", {}, day(1));
  expect(await deploymentsOf(shelf)).toEqual([]);
});

test("the latest twenty are read, the newest first", async () => {
  const shelf = bucket({ release: "r", files: "f", workspace: "", generation: "g" });
  for (let number = 1; number <= 25; number++) await recordDeployment(shelf, "g", {}, day(number));
  const read = await deploymentsOf(shelf);
  expect(read).toHaveLength(20);
  expect(read[0]?.at).toBe(day(25).toISOString());
});

test("entries are deleted like archives: after 30 days, except for the newest five", () => {
  const entries = Array.from({ length: 7 }, (_, index) => ({
    key: `${HISTORY}${index}`,
    at: day(index + 1),
  }));
  const wanted = { release: "r", files: "f", workspace: "", generation: "g" };
  expect(outdated(entries, wanted, Date.UTC(2027, 5, 1))).toEqual([`${HISTORY}1`, `${HISTORY}0`]);
});
