import { describe, expect, test } from "@jest/globals";
import type { StreamEnd } from "../../../server/http/event-stream.ts";
import { Streams } from "../../../server/http/streams.ts";

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
    let pulled = 0;
    const source = new ReadableStream<Uint8Array>({
      pull(controller) {
        if (pulled++ === 0) controller.enqueue(new TextEncoder().encode("data: 1\n\n"));
        else throw new Error("the disk /srv/secret is gone");
      },
    });
    const body = streams.track(source, { route: "/mcp", longLived: false, log });
    expect(streams.byRoute()).toEqual(new Map([["/mcp", 1]]));
    const text = await new Response(body).text();
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
