import { EventEmitter } from "node:events";
import { beforeEach, describe, expect, jest, test } from "@jest/globals";
import type { Request, Response } from "../../../server/index/protocol.ts";

/** A double of a thread. The test decides how it answers a request. */
class FakeWorker extends EventEmitter {
  static made: FakeWorker[] = [];
  static terminate: () => Promise<number> = () => Promise.resolve(0);
  readonly requests: Request[] = [];
  constructor() {
    super();
    FakeWorker.made.push(this);
  }
  postMessage(request: Request): void {
    this.requests.push(request);
  }
  ready(): void {
    this.emit("message", { ready: true } satisfies Response);
  }
  answer(value: unknown): void {
    this.emit("message", { id: this.requests.at(-1)?.id ?? 0, value } satisfies Response);
  }
  terminate = () => FakeWorker.terminate();
  ref(): void {}
  unref(): void {}
}
jest.unstable_mockModule("node:worker_threads", () => ({ Worker: FakeWorker }));
const { JobThread } = await import("../../../server/index/thread.ts");

const made = (n: number) => {
  const worker = FakeWorker.made[n];
  if (!worker) throw new Error(`there is no thread ${n}`);
  return worker;
};
const job = (thread: InstanceType<typeof JobThread>, timeoutMs?: number) =>
  thread.run("findSymbol", {} as never, timeoutMs === undefined ? {} : { timeoutMs }) as Promise<unknown>;

beforeEach(() => {
  FakeWorker.made = [];
  FakeWorker.terminate = () => Promise.resolve(0);
});

describe("JobThread", () => {
  test("fails the job of a thread that exits without an error, and runs the next one in a new thread", async () => {
    const thread = new JobThread(16);
    const first = job(thread);
    const second = job(thread);
    made(0).emit("exit", 3);
    await expect(first).rejects.toThrow("ended with exit code 3");
    made(1).answer("second");
    expect(await second).toBe("second");
  });

  test("fails a job once for an error and the exit after it", async () => {
    const thread = new JobThread(16);
    const first = job(thread);
    const second = job(thread);
    made(0).emit("error", new Error("out of memory"));
    made(0).emit("exit", 1);
    await expect(first).rejects.toThrow("out of memory");
    made(1).answer("second");
    expect(await second).toBe("second");
    expect(FakeWorker.made).toHaveLength(2);
  });

  test("runs the next job in a new thread while the old one is in native code, and ignores the old one's answer", async () => {
    FakeWorker.terminate = () => new Promise(() => undefined);
    const thread = new JobThread(16);
    const first = job(thread, 1);
    const second = job(thread);
    made(0).ready();
    await expect(first).rejects.toThrow("Narrow it by path");
    made(0).emit("message", { id: 2, value: "late words of the first thread" });
    made(1).answer("second");
    expect(await second).toBe("second");
  });

  test("keeps a thread that starts more slowly than the limit of its jobs, and ends one that does not start within a minute", async () => {
    jest.useFakeTimers();
    const thread = new JobThread(16);
    const refused = [expect(job(thread, 100)).rejects.toThrow("Narrow it by path")];
    await jest.advanceTimersByTimeAsync(2_000);
    refused.push(expect(job(thread, 100)).rejects.toThrow("Narrow it by path"));
    await jest.advanceTimersByTimeAsync(2_000);
    await Promise.all(refused);
    const third = job(thread, 100);
    made(0).ready();
    expect(made(0).requests.map(({ cancelled }) => cancelled[0])).toEqual([1, 1, 0]);
    made(0).answer("third");
    expect(await third).toBe("third");
    await jest.advanceTimersByTimeAsync(120_000);
    expect(FakeWorker.made).toHaveLength(1);

    const never = new JobThread(16);
    const stuck = expect(job(never)).rejects.toThrow("did not start within a minute");
    const next = job(never);
    await jest.advanceTimersByTimeAsync(60_000);
    await stuck;
    made(2).ready();
    made(2).answer("in a new thread");
    expect(await next).toBe("in a new thread");
    jest.useRealTimers();
  });

  test("waits two seconds at most for a thread in native code on close", async () => {
    FakeWorker.terminate = () => new Promise(() => undefined);
    const thread = new JobThread(16);
    const running = expect(job(thread)).rejects.toThrow("shutting down");
    jest.useFakeTimers();
    const closing = thread.close();
    await jest.advanceTimersByTimeAsync(2_000);
    await closing;
    jest.useRealTimers();
    await running;
  });
});
