import { jest } from "@jest/globals";

/**
 * Timers stand still until `jest.useRealTimers()`: on a busy host, one of the server's could fire within the steps of a test. Clocks go on.
 */
export function stopTimers(): void {
  jest.useFakeTimers({
    doNotFake: [
      "Date",
      "hrtime",
      "nextTick",
      "performance",
      "queueMicrotask",
      "setImmediate",
      "clearImmediate",
    ],
  });
}
