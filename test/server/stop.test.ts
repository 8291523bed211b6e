import { afterEach, beforeEach, describe, expect, jest, test } from "@jest/globals";
import { closeInSteps } from "../../server/closing.ts";
import { makeStop } from "../../server/stop.ts";

beforeEach(() => {
  jest.useFakeTimers();
});
afterEach(() => {
  jest.useRealTimers();
});

function recorded() {
  const lines: string[] = [];
  const at = (level: string) => (facts: object, text: string) => {
    const { err, step } = facts as { err?: Error; step?: string };
    lines.push([level, text, step, err?.message].filter(Boolean).join(" "));
  };
  return { lines, log: { info: at("info"), warn: at("warn"), error: at("error") } };
}

describe("a signal ends the process", () => {
  const never = () => new Promise<boolean>(() => undefined);
  const outcomes: [string, () => Promise<boolean>, number, number, string][] = [
    ["after the drain", async () => true, 0, 0, "info stopped"],
    ["after a drain whose time was over", async () => false, 0, 0, "info stopped"],
    [
      "when the drain fails",
      async () => Promise.reject(new Error("boom")),
      0,
      1,
      "error the shutdown failed boom",
    ],
    [
      "when the drain throws",
      () => {
        throw new Error("boom");
      },
      0,
      1,
      "error the shutdown failed boom",
    ],
    ["when the drain never ends", never, 25_000, 1, "error the shutdown took too long"],
  ];
  test.each(outcomes)("%s", async (_, drain, afterMs, code, line) => {
    const exits: number[] = [];
    const { lines, log } = recorded();
    makeStop({ drain, limitMs: 25_000, exit: (with_) => exits.push(with_), log })("SIGTERM");
    await jest.advanceTimersByTimeAsync(Math.max(0, afterMs - 1));
    expect(exits).toEqual(afterMs > 0 ? [] : [code]);
    await jest.advanceTimersByTimeAsync(1);
    expect(exits).toEqual([code]);
    expect(lines).toEqual([line]);
  });

  test("at once when a second signal arrives, but not when the same one is forwarded", async () => {
    const exits: number[] = [];
    let drains = 0;
    const drain = () => {
      drains++;
      return never();
    };
    const stop = makeStop({ drain, limitMs: 25_000, exit: (code) => exits.push(code), log: recorded().log });
    stop("SIGINT");
    stop("SIGINT");
    await jest.advanceTimersByTimeAsync(900);
    stop("SIGTERM");
    expect(exits).toEqual([]);
    await jest.advanceTimersByTimeAsync(200);
    stop("SIGINT");
    expect([exits, drains]).toEqual([[1], 1]);
  });
});

describe("parts are closed one after another", () => {
  test("even if some fail or hang", async () => {
    const order: string[] = [];
    const { lines, log } = recorded();
    const step = (name: string, close: () => unknown, limitMs = 1_000) => ({
      name,
      limitMs,
      close: () => {
        order.push(name);
        return close();
      },
    });
    const closing = closeInSteps(
      [
        step("streams", () => undefined),
        step("sessions", () => Promise.reject(new Error("the store is away"))),
        step("usage", () => {
          throw new Error("disk full");
        }),
        step("git", () => new Promise(() => undefined), 1_500),
        step("store", async () => undefined),
      ],
      log,
    );
    await jest.advanceTimersByTimeAsync(1_499);
    expect(order).toEqual(["streams", "sessions", "usage", "git"]);
    await jest.advanceTimersByTimeAsync(1);
    expect(await closing).toBe(false);
    expect(order.at(-1)).toBe("store");
    expect(lines).toEqual([
      "error closing sessions the store is away",
      "error closing usage disk full",
      "error closing git not closed within 1500 ms",
    ]);
    expect(jest.getTimerCount()).toBe(0);
  });
});
