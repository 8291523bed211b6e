import { describe, expect, jest, test } from "@jest/globals";
import type { FastifyBaseLogger } from "fastify";
import type { DisconnectReason, StreamOptions } from "../../../server/http/event-stream.ts";
import { SendQueue } from "../../../server/http/send-queue.ts";
import { Streams } from "../../../server/http/streams.ts";

const log = { info: () => undefined, error: () => undefined } as unknown as FastifyBaseLogger;
const turns = async (count = 20) => {
  for (let i = 0; i < count; i++) await new Promise((turned) => setImmediate(turned));
};

/** A source that is pushed to, as the SDK's are, and a client that reads when the test says so. */
function opened(streams: Streams, options: Partial<StreamOptions> = {}) {
  let push!: (bytes: number) => void;
  const cancelled: unknown[] = [];
  const source = new ReadableStream<Uint8Array>({
    start: (controller) => {
      push = (bytes) => controller.enqueue(new Uint8Array(bytes));
    },
    cancel: (reason) => void cancelled.push(reason),
  });
  const ends: DisconnectReason[] = [];
  const body = streams.track(source, {
    route: "/mcp",
    longLived: true,
    log,
    onEnd: (reason) => ends.push(reason),
    ...options,
  });
  return { push, cancelled, ends, reader: body.getReader() };
}

describe("a stream whose client does not read", () => {
  test("is cut when its queue exceeds the limit; the source is cancelled and the queue is freed", async () => {
    const streams = new Streams({ longLived: 1_000 });
    const { push, cancelled, ends } = opened(streams);
    for (let i = 0; i < 12; i++) push(100);
    await turns();
    expect([ends, streams.size, streams.queuedBytes]).toEqual([["slow_reader"], 0, 0]);
    expect(cancelled).toEqual(["slow_reader"]);
  });

  test("may queue one message that is longer than the limit", async () => {
    const streams = new Streams({ longLived: 1_000 });
    const { push, ends, reader } = opened(streams);
    await reader.read();
    push(50_000);
    await turns();
    expect(ends).toEqual([]);
    expect((await reader.read()).value?.byteLength).toBe(50_000);
    expect(streams.queuedBytes).toBe(0);
    await reader.cancel();
  });

  test("beyond the total limit, the stream with the longest queue is cut", async () => {
    const streams = new Streams({ total: 10_000 });
    const small = Array.from({ length: 5 }, () => opened(streams));
    const large = opened(streams);
    // The opening lies in the body itself by now.
    await turns();
    for (const one of small) one.push(1_000);
    large.push(4_000);
    await turns();
    expect(large.ends).toEqual([]);
    large.push(4_000);
    await turns();
    expect(large.ends).toEqual(["slow_reader"]);
    expect(small.flatMap((one) => one.ends)).toEqual([]);
    for (const { reader } of small) await reader.cancel();
  });

  test("is cut after the stall timeout, but only if something waits", async () => {
    jest.useFakeTimers({ doNotFake: ["setImmediate", "queueMicrotask", "nextTick"] });
    try {
      const streams = new Streams({ stallMs: 60_000 });
      const [idle, stalled, reading] = [opened(streams), opened(streams), opened(streams)];
      for (const { reader } of [idle, stalled, reading]) await reader.read();
      await turns();
      // The first piece after what was read lies in the body itself.
      for (const one of [stalled, reading]) for (let i = 0; i < 2; i++, await turns()) one.push(100);
      for (let seconds = 0; seconds < 120; seconds += 10) {
        await jest.advanceTimersByTimeAsync(10_000);
        await turns();
        reading.push(10);
        await reading.reader.read();
      }
      expect([idle.ends, stalled.ends, reading.ends]).toEqual([[], ["slow_reader"], []]);
      for (const { reader } of [idle, reading]) await reader.cancel();
      // No stream, no timer.
      expect(jest.getTimerCount()).toBe(0);
    } finally {
      jest.useRealTimers();
    }
  });

  test("a paced source is not cut, and not read while the client does not read", async () => {
    const streams = new Streams({ longLived: 1_000 });
    let produced = 0;
    const ends: DisconnectReason[] = [];
    const source = new ReadableStream<Uint8Array>({
      pull: (controller) => {
        produced += 1_000;
        controller.enqueue(new Uint8Array(1_000));
      },
    });
    const options: StreamOptions = {
      route: "/x",
      longLived: true,
      paced: true,
      log,
      onEnd: (reason) => ends.push(reason),
    };
    const reader = streams.track(source, options).getReader();
    await turns(200);
    const before = produced;
    expect(before).toBeLessThan(256 * 1024);
    await turns(200);
    expect(produced).toBe(before);
    for (let i = 0; i < 20; i++) await reader.read();
    expect(produced).toBeGreaterThan(before);
    expect(ends).toEqual([]);
    await reader.cancel();
    expect(ends).toEqual(["client_closed"]);
  });
});

test("a queue returns whole pieces in order, up to a size, and at least one", () => {
  const queue = new SendQueue();
  expect(queue.shift()).toBeUndefined();
  for (const text of ["aa", "bb", "cccccc", "d"]) queue.push(Buffer.from(text));
  expect(queue.bytes).toBe(11);
  const shift = (most?: number) => Buffer.from(queue.shift(most) ?? []).toString();
  expect([shift(4), shift(3), shift()]).toEqual(["aabb", "cccccc", "d"]);
  expect(queue.bytes).toBe(0);
});
