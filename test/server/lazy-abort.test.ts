import { expect, test } from "@jest/globals";
import { LazyAbort } from "../../server/lazy-abort.ts";

test("the signal is aborted, whether it was made before or after", () => {
  const [before, after] = [new LazyAbort(), new LazyAbort()];
  const { signal } = before;
  expect([signal.aborted, before.aborted]).toEqual([false, false]);
  for (const one of [before, after]) one.abort();
  for (const one of [before, after]) expect([one.signal.aborted, one.aborted]).toEqual([true, true]);
  expect(before.signal).toBe(signal);
});
