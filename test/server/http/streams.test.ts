import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { describe, expect, test } from "@jest/globals";
import { eventually, type RunningApp, readUntil, startApp, temporaryFolder } from "../support.ts";

async function withApp(test_: (running: RunningApp) => Promise<void>): Promise<void> {
  const folder = await temporaryFolder();
  try {
    await using running = await startApp({ WORKSPACE_DIR: folder.path }, { keepAliveMs: 30 });
    await test_(running);
  } finally {
    await folder.remove();
  }
}

const streamLines = (running: RunningApp) => running.logs.filter((line) => line.msg === "stream");
const logged = async (running: RunningApp) => {
  while (streamLines(running).length === 0) await new Promise((r) => setTimeout(r, 5));
  return streamLines(running)[0];
};

describe("GET /demo/stream", () => {
  test("one network, and one IPv6 site, has a part of the streams that may be open", async () => {
    await using running = await startApp({ AUTH_MODE: "none" });
    const abort = new AbortController();
    const open = async (address: string) => {
      const headers = { "x-forwarded-for": address };
      const response = await fetch(`${running.origin}/demo/stream?ms=60000`, {
        headers,
        signal: abort.signal,
      });
      return response.status;
    };
    const statuses = async (addresses: string[]) => {
      const all: number[] = [];
      for (const address of addresses) all.push(await open(address));
      return all;
    };
    const ten = Array.from({ length: 10 }, () => 200);
    expect(await statuses(Array(11).fill("192.0.2.1"))).toEqual([...ten, 429]);
    expect(
      await statuses(["2001:db8:1:1::1", "2001:db8:1:2::1"].flatMap((one) => Array(10).fill(one))),
    ).toEqual([...ten, ...ten]);
    expect(await statuses(["2001:db8:1:3::1", "2001:db8:2:1::1"])).toEqual([429, 200]);
    // What is closed makes room.
    abort.abort();
    await eventually(() => running.app.streams.size === 0, "the streams to close");
    const again = await fetch(`${running.origin}/demo/stream?n=1`, {
      headers: { "x-forwarded-for": "192.0.2.1" },
    });
    expect(again.status).toBe(200);
    await again.text();
  });

  test("starts with a comment, numbers its events, ends, and logs one line", () =>
    withApp(async (running) => {
      const response = await fetch(`${running.origin}/demo/stream?n=3&ms=100`, {
        headers: { "x-request-id": "stream-test-1" },
      });
      expect(response.headers.get("content-type")).toBe("text/event-stream");
      expect(response.headers.get("x-accel-buffering")).toBe("no");
      expect(response.headers.get("x-request-id")).toBe("stream-test-1");
      const text = await response.text();
      expect(text).toMatch(/^: open\n\n/);
      expect(text.match(/^id: \d+$/gm)).toEqual(["id: 1", "id: 2", "id: 3"]);
      expect(await logged(running)).toMatchObject({
        stream_id: expect.any(String),
        route: "/demo/stream",
        bytes_sent: Buffer.byteLength(text),
        chunks_sent: expect.any(Number),
        duration_ms: expect.any(Number),
        disconnect_reason: "completed",
        request_id: "stream-test-1",
      });
    }));

  test("sends keep-alive comments while idle", () =>
    withApp(async (running) => {
      const response = await fetch(`${running.origin}/demo/stream?ms=60000`);
      const text = await readUntil(response, (t) => t.split(": keep-alive").length > 3);
      expect(text.match(/^id: /gm)).toHaveLength(1);
      expect(await logged(running)).toMatchObject({ disconnect_reason: "client_closed" });
      expect(running.app.streams.size).toBe(0);
    }));

  test("parameters are clamped, invalid ones mean the default, and Last-Event-ID resumes", () =>
    withApp(async (running) => {
      const first = async (query: string, headers: Record<string, string> = {}) =>
        readUntil(await fetch(`${running.origin}/demo/stream${query}`, { headers }), (t) =>
          t.includes("data: "),
        );
      expect(await first("?n=999999999&ms=1000")).toContain('"of":3600');
      expect(await first("?n=999999999&ms=60000")).toContain('"of":60');
      expect(await first("?n=0&ms=0")).toContain('"n":1,"of":1,');
      expect(await first("?n=-5&ms=x")).toContain('"of":3600');
      expect(await first("?n=10&ms=60000", { "last-event-id": "7" })).toContain('"n":8,');
    }));
});

describe("the connection of a stream that stays open", () => {
  const opened = async (running: RunningApp) => {
    const connected = once(running.app.http.server, "connection");
    const client = connect(Number(new URL(running.origin).port), "127.0.0.1");
    client.on("error", () => undefined);
    client.write(
      "GET /demo/stream?n=1000&ms=60000 HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer x\r\n\r\n",
    );
    const [head] = await once(client, "data");
    const [socket] = (await connected) as [Socket & { parser: unknown }];
    await eventually(() => socket.parser === null, "the parser to be released");
    return { client, socket, head: String(head) };
  };

  test("gives its parser back, says that it will close, and notices that its client has gone", () =>
    withApp(async (running) => {
      const { client, head } = await opened(running);
      expect(head).toMatch(/^connection: close\r$/im);
      client.write("GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
      client.end();
      expect(await logged(running)).toMatchObject({ disconnect_reason: "client_closed" });
      await eventually(() => running.app.streams.size === 0, "the stream to end");
    }));

  test("is closed with the server, although Node's server does not know it", async () => {
    const folder = await temporaryFolder();
    const running = await startApp({ WORKSPACE_DIR: folder.path });
    const { client, socket } = await opened(running);
    client.pause();
    await running.app.close();
    expect(socket.destroyed).toBe(true);
    client.destroy();
    await folder.remove();
  });
});
