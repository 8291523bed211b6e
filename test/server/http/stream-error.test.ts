import { once } from "node:events";
import { describe, expect, test } from "@jest/globals";
import type { StreamEnd } from "../../../server/http/event-stream.ts";
import { Streams } from "../../../server/http/streams.ts";
import { FakeResponse } from "./fake-response.ts";

function recorder() {
  const lines: { level: string; facts: Record<string, unknown>; msg: string }[] = [];
  const at = (level: string) => (facts: Record<string, unknown>, msg: string) => {
    lines.push({ level, facts, msg });
  };
  return { lines, log: { info: at("info"), error: at("error") } as never };
}

describe("a source that fails in the middle", () => {
  test("becomes an error event, then a clean end; only the log has the cause", async () => {
    const { lines, log } = recorder();
    const streams = new Streams();
    const ends: StreamEnd[] = [];
    streams.onEnded = (end) => ends.push(end);
    const response = new FakeResponse();
    const stream = streams.track(response, { route: "/mcp", longLived: false, log });
    stream.send("data: 1\n\n");
    stream.fail(new Error("the disk /srv/secret is gone"));
    expect(streams.byRoute()).toEqual(new Map([["/mcp", 1]]));
    await once(response, "close");
    const { text } = response;
    expect(text).toBe(
      ': open\n\ndata: 1\n\nevent: error\ndata: {"jsonrpc":"2.0","error":{"code":-32603,"message":"Internal server error"},"id":null}\n\n',
    );
    expect(lines.map((line) => [line.level, line.msg])).toEqual([
      ["error", "stream failed"],
      ["info", "stream"],
    ]);
    expect(lines[1]?.facts).toMatchObject({
      disconnect_reason: "error",
      bytes_sent: text.length,
      chunks_sent: 1, // what comes at once leaves at once
    });
    expect(ends).toEqual([
      { route: "/mcp", reason: "error", bytes: text.length, chunks: 1, seconds: expect.any(Number) },
    ]);
    expect(streams.byRoute().size).toBe(0);
  });
});
