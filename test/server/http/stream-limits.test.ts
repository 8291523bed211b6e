import { describe, expect, jest, test } from "@jest/globals";
import type { FastifyBaseLogger } from "fastify";
import type { DisconnectReason, StreamOptions } from "../../../server/http/event-stream.ts";
import { SendQueue } from "../../../server/http/send-queue.ts";
import { Streams } from "../../../server/http/streams.ts";
import { FakeResponse } from "./fake-response.ts";

const log = { info: () => undefined, error: () => undefined } as unknown as FastifyBaseLogger;
const turns = async (count = 20) => {
  for (let i = 0; i < count; i++) await new Promise((turned) => setImmediate(turned));
};

/** A stream whose client reads when the test says so. Nothing is read of what comes after the opening. */
async function opened(streams: Streams, options: Partial<StreamOptions> = {}) {
  const response = new FakeResponse();
  const ends: DisconnectReason[] = [];
  const stream = streams.track(response, {
    route: "/mcp",
    longLived: true,
    log,
    onEnd: (reason) => ends.push(reason),
    ...options,
  });
  response.full = true;
  await turns();
  const push = (bytes: number) => stream.send(new Uint8Array(bytes));
  return { response, stream, push, ends };
}

describe("a stream whose client does not read", () => {
  test("is cut when its queue exceeds the limit: the connection is destroyed and the queue is freed", async () => {
    const streams = new Streams({ longLived: 1_000 });
    const { push, response, ends } = await opened(streams);
    for (let i = 0; i < 12; i++) push(100);
    expect([ends, streams.size, streams.queuedBytes]).toEqual([["slow_reader"], 0, 0]);
    expect(response.destroyed).toBe(true);
    expect(push(100)).toBe(false);
  });

  test("may queue one message that is longer than the limit", async () => {
    const streams = new Streams({ longLived: 1_000 });
    const { push, response, ends } = await opened(streams);
    push(50_000);
    await turns();
    expect([ends, streams.queuedBytes]).toEqual([[], 50_000]);
    response.read();
    await turns();
    expect([response.writes.at(-1), streams.queuedBytes]).toEqual([50_000, 0]);
    response.destroy();
    expect(ends).toEqual(["client_closed"]);
  });

  test("beyond the total limit, the stream with the longest queue is cut", async () => {
    const streams = new Streams({ total: 10_000 });
    const small = await Promise.all(Array.from({ length: 5 }, () => opened(streams)));
    const large = await opened(streams);
    for (const one of small) one.push(1_000);
    large.push(4_000);
    expect(large.ends).toEqual([]);
    large.push(4_000);
    expect(large.ends).toEqual(["slow_reader"]);
    expect(small.flatMap((one) => one.ends)).toEqual([]);
    for (const { response } of small) response.destroy();
  });

  test("is cut after the stall timeout, but only if something waits", async () => {
    jest.useFakeTimers({ doNotFake: ["setImmediate", "queueMicrotask", "nextTick"] });
    try {
      const streams = new Streams({ stallMs: 60_000 });
      const [idle, stalled, reading] = [await opened(streams), await opened(streams), await opened(streams)];
      for (const one of [stalled, reading]) one.push(100);
      for (let seconds = 0; seconds < 120; seconds += 10) {
        await jest.advanceTimersByTimeAsync(10_000);
        reading.push(10);
        reading.response.emit("drain");
        await turns();
      }
      expect([idle.ends, stalled.ends, reading.ends]).toEqual([[], ["slow_reader"], []]);
      for (const { response } of [idle, reading]) response.destroy();
      // No stream, no timer.
      expect(jest.getTimerCount()).toBe(0);
    } finally {
      jest.useRealTimers();
    }
  });

  test("a paced source is not cut, but told to wait until the client has read", async () => {
    const streams = new Streams({ longLived: 1_000 });
    let rooms = 0;
    const { push, response, ends } = await opened(streams, { paced: true, onRoom: () => rooms++ });
    const before = rooms;
    let sent = 0;
    while (push(1_000)) sent++;
    await turns();
    expect(sent).toBeLessThan(256);
    expect([rooms, ends]).toEqual([before, []]);
    response.read();
    await turns();
    expect(rooms).toBeGreaterThan(before);
    response.destroy();
    expect(ends).toEqual(["client_closed"]);
  });

  test("ends at once on a drain, with a line that tells its client to reconnect", async () => {
    const streams = new Streams();
    const { push, response, ends } = await opened(streams);
    push(10);
    streams.drain();
    expect([ends, response.writableEnded, streams.size]).toEqual([["drain"], true, 0]);
    expect(response.text).toMatch(/retry: 500\n\n$/);
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
