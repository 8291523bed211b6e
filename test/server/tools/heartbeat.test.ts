import { afterEach, beforeEach, expect, jest, test } from "@jest/globals";
import type { Progress } from "../../../server/shares/progress.ts";
import { withHeartbeat } from "../../../server/tools/heartbeat.ts";

let reports: [number, number | undefined, string][];
const progress: Progress = (...report) => void reports.push(report);
beforeEach(() => {
  reports = [];
  jest.useFakeTimers();
});
afterEach(() => {
  jest.useRealTimers();
});

const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

test("reports the seconds of a long call, and stops at its end", async () => {
  const call = withHeartbeat("git_log", { progress }, () => wait(5_000));
  await jest.advanceTimersByTimeAsync(20_000);
  await call;
  expect(reports).toEqual([
    [2, undefined, "git_log: 2 s"],
    [4, undefined, "git_log: 4 s"],
  ]);
});

test("stops when the tool reports progress itself, and the progress keeps rising", async () => {
  const call = withHeartbeat("search", { progress }, async (context) => {
    await wait(2_500);
    context.progress?.(1, 3, "one");
    await wait(10_000);
    context.progress?.(2, undefined, "two");
  });
  await jest.advanceTimersByTimeAsync(20_000);
  await call;
  expect(reports).toEqual([
    [2, undefined, "search: 2 s"],
    [3, 5, "one"],
    [4, undefined, "two"],
  ]);
});

test("stops when the call fails", async () => {
  const fail = async () => {
    throw new Error("no");
  };
  await expect(withHeartbeat("t", { progress }, fail)).rejects.toThrow("no");
  await jest.advanceTimersByTimeAsync(20_000);
  expect(reports).toEqual([]);
  expect(jest.getTimerCount()).toBe(0);
});
