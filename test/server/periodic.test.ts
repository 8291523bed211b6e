import { afterEach, beforeEach, expect, jest, test } from "@jest/globals";
import { Periodic, type PeriodicOptions } from "../../server/periodic.ts";

beforeEach(() => {
  jest.useFakeTimers();
});
afterEach(() => {
  jest.useRealTimers();
  jest.restoreAllMocks();
});

/** Work whose rounds end when the test says so, or at once. */
function counting(options: Partial<PeriodicOptions> = {}) {
  const errors: string[] = [];
  const rounds: { signal: AbortSignal; end: () => void; fail: (error: Error) => void }[] = [];
  const work = new Periodic({
    everyMs: 1_000,
    jitter: 0,
    onError: (error) => errors.push(error.message),
    round: (signal) =>
      new Promise<void>((end, fail) => {
        rounds.push({ signal, end, fail });
      }),
    ...options,
  });
  return { work, errors, rounds };
}

test("a round that takes longer than the interval is followed by a wait, not overlapped", async () => {
  const { work, rounds } = counting();
  work.start();
  await jest.advanceTimersByTimeAsync(999);
  expect(rounds).toHaveLength(0);
  await jest.advanceTimersByTimeAsync(5_000);
  expect(rounds).toHaveLength(1);
  rounds[0]?.end();
  await jest.advanceTimersByTimeAsync(999);
  expect(rounds).toHaveLength(1);
  await jest.advanceTimersByTimeAsync(1);
  expect(rounds).toHaveLength(2);
});

test("run joins a running round; rerun adds exactly one after it", async () => {
  const { work, rounds } = counting();
  const running = [work.run(), work.run()];
  const again = [work.rerun(), work.rerun()];
  expect(rounds).toHaveLength(1);
  rounds[0]?.end();
  await Promise.all(running);
  await jest.advanceTimersByTimeAsync(0);
  expect(rounds).toHaveLength(2);
  rounds[1]?.end();
  await Promise.all(again);
  expect(rounds).toHaveLength(2);
});

test("a round on demand restarts the wait, and starts no schedule that was not started", async () => {
  const { work, rounds } = counting({ round: () => undefined });
  await work.run();
  expect(jest.getTimerCount()).toBe(0);
  const round = jest.fn();
  const started = counting({ round }).work.start();
  await jest.advanceTimersByTimeAsync(900);
  await started.run();
  await jest.advanceTimersByTimeAsync(900);
  expect(round).toHaveBeenCalledTimes(1);
  await jest.advanceTimersByTimeAsync(100);
  expect(round).toHaveBeenCalledTimes(2);
  expect(rounds).toHaveLength(0);
});

test("failures are reported and double the wait up to the maximum; a success resets it", async () => {
  let fails = true;
  const times: number[] = [];
  const began = Date.now();
  const { work, errors } = counting({
    maxBackOffMs: 3_000,
    round: () => {
      times.push(Date.now() - began);
      if (fails) throw new Error("no");
    },
  });
  work.start();
  await jest.advanceTimersByTimeAsync(9_000);
  expect(times).toEqual([1_000, 3_000, 6_000, 9_000]);
  expect(errors).toEqual(["no", "no", "no", "no"]);
  fails = false;
  await jest.advanceTimersByTimeAsync(4_000);
  expect(times.slice(4)).toEqual([12_000, 13_000]);
});

test("without a maximum there is no back-off", async () => {
  const { work, errors } = counting({ round: () => Promise.reject(new Error("no")) });
  work.start("now");
  await jest.advanceTimersByTimeAsync(3_000);
  expect(errors).toHaveLength(4);
});

test("the jitter only shortens a wait", async () => {
  const round = jest.fn();
  jest.spyOn(Math, "random").mockReturnValue(1);
  counting({ round, jitter: 0.25 }).work.start();
  await jest.advanceTimersByTimeAsync(750);
  expect(round).toHaveBeenCalledTimes(1);
});

test.each(["stop", "signal"])("%s aborts the running round, waits for it and ends the rounds", async (by) => {
  const controller = new AbortController();
  const { work, rounds, errors } = counting({ signal: controller.signal });
  work.start("now");
  const reason = new Error("closing");
  if (by === "signal") controller.abort(reason);
  const stopped = jest.fn();
  void work.stop(reason).then(stopped);
  const again = work.rerun();
  await jest.advanceTimersByTimeAsync(0);
  expect(rounds[0]?.signal.reason).toBe(reason);
  expect(stopped).not.toHaveBeenCalled();
  rounds[0]?.fail(new Error("aborted"));
  await again;
  await jest.advanceTimersByTimeAsync(10_000);
  expect(stopped).toHaveBeenCalled();
  expect(errors).toEqual([]);
  expect(rounds).toHaveLength(1);
  expect(jest.getTimerCount()).toBe(0);
});
