import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import * as z from "zod";
import { drain } from "../../server/drain.ts";
import { defineTool, type Tool } from "../../server/tools/tool.ts";
import { eventually, makeRepository, openSession, rpc, startApp, temporaryFolder } from "./support.ts";

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
beforeAll(async () => {
  folder = await temporaryFolder();
  await makeRepository(join(folder.path, "sample"));
});
afterAll(() => folder.remove());

/** A tool that answers when the test says so. */
function gate(): { tool: Tool; entered: Promise<void>; open(): void } {
  const entered = Promise.withResolvers<void>();
  const opened = Promise.withResolvers<void>();
  const tool = defineTool({
    name: "wait",
    title: "Wait",
    description: "Waits",
    scope: "code:read",
    input: z.object({}),
    output: z.object({ waited: z.boolean() }),
    run: async () => {
      entered.resolve();
      await opened.promise;
      return { waited: true };
    },
  });
  return { tool, entered: entered.promise, open: () => opened.resolve() };
}

const CALL = { jsonrpc: "2.0", id: 9, method: "tools/call", params: { name: "wait", arguments: {} } };
const META = {
  "io.modelcontextprotocol/protocolVersion": "2026-07-28",
  "io.modelcontextprotocol/clientInfo": { name: "t", version: "1" },
  "io.modelcontextprotocol/clientCapabilities": {},
};
const modern = (method: string, name?: string) => ({
  "mcp-protocol-version": "2026-07-28",
  "mcp-method": method,
  ...(name ? { "mcp-name": name } : {}),
});

/** Sends one HTTP/1.1 request on a connection that stays open. */
function send(socket: Socket, path: string): void {
  socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
}

/** A connection that has had one answer and stays open. */
async function keptConnection(origin: string) {
  const socket = connect(Number(new URL(origin).port), "127.0.0.1");
  let text = "";
  socket.on("data", (chunk) => {
    text += chunk;
  });
  const closed = new Promise((resolve) => socket.once("close", resolve));
  send(socket, "/");
  await eventually(() => text.includes("</html>"), "the first answer");
  return { socket, received: () => text, closed };
}

function newConnection(origin: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(Number(new URL(origin).port), "127.0.0.1", () => {
      socket.destroy();
      resolve();
    });
    socket.once("error", reject);
  });
}

describe("drain", () => {
  test("calls of both eras finish; notification and demo streams get a retry line, listen streams their result", async () => {
    const { tool, entered, open } = gate();
    const running = await startApp({ WORKSPACE_DIR: folder.path }, { tools: [tool] });
    const { origin, app, logs } = running;
    const session = await openSession(origin);
    const notifications = await fetch(`${origin}/mcp`, {
      headers: { accept: "text/event-stream", "mcp-session-id": session },
    });
    const listen = await rpc(
      origin,
      {
        jsonrpc: "2.0",
        id: 1,
        method: "subscriptions/listen",
        params: { notifications: { toolsListChanged: true }, _meta: META },
      },
      modern("subscriptions/listen"),
    );
    expect(listen.headers.get("content-type")).toBe("text/event-stream");
    const demo = await fetch(`${origin}/demo/stream?ms=60000`);
    const call2025 = rpc(origin, CALL, { "mcp-session-id": session });
    const call2026 = rpc(
      origin,
      { ...CALL, params: { ...CALL.params, _meta: META } },
      modern("tools/call", "wait"),
    );
    await entered;
    await eventually(() => app.lifecycle.inFlight === 5, "five requests in flight");

    const drained = drain(app, 20_000);
    for (const stream of [notifications, demo]) expect(await stream.text()).toMatch(/retry: 500\n\n$/);
    // SubscriptionsListenResult: the 2026 era's way to say that the server ends a subscription.
    const last = (await listen.text()).trim().split("\n\n").at(-1);
    expect(JSON.parse(last?.split("data: ")[1] ?? "")).toMatchObject({
      id: 1,
      result: { resultType: "complete", _meta: { "io.modelcontextprotocol/subscriptionId": 1 } },
    });
    expect((await app.readiness.probe()).ready).toBe(false);
    await expect(newConnection(origin)).rejects.toThrow("ECONNREFUSED");
    open();
    expect(await (await call2025).text()).toContain('"waited":true');
    const late = await call2026;
    expect(late.headers.get("connection")).toBe("close");
    expect(await late.json()).toMatchObject({ result: { structuredContent: { waited: true } } });
    expect(await drained).toBe(true);
    const reasons = logs.filter((l) => l.msg === "stream").map((l) => l.disconnect_reason);
    expect(reasons.filter((r) => r === "drain")).toHaveLength(3);
  });

  test("a request on an idle keep-alive connection is still answered, and the connection is closed afterwards", async () => {
    const { tool, entered, open } = gate();
    const { origin, app } = await startApp({ WORKSPACE_DIR: folder.path }, { tools: [tool] });
    const call = rpc(origin, CALL);
    await entered;
    const { socket, received, closed } = await keptConnection(origin);
    expect(received()).toContain("Connection: keep-alive");
    const drained = drain(app, 20_000);
    send(socket, "/readyz");
    await closed;
    expect(received()).toContain("HTTP/1.1 503");
    expect(received()).toMatch(/^connection: close/im);
    open();
    expect(await (await call).text()).toContain('"waited":true');
    expect(await drained).toBe(true);
  });

  test("a request that arrived while the server got no turn is answered", async () => {
    const { tool, entered, open } = gate();
    const { origin, app } = await startApp({ WORKSPACE_DIR: folder.path }, { tools: [tool] });
    const { socket, received, closed } = await keptConnection(origin);
    const drained = drain(app, 20_000);
    await new Promise((resolve) => setImmediate(resolve));
    const body = JSON.stringify(CALL.params.arguments);
    socket.write(
      `POST /api/tools/wait HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    );
    // Longer than idle connections stay open.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2_500);
    await entered;
    // Time in which the connection would be closed.
    await new Promise((resolve) => setTimeout(resolve, 500));
    open();
    await closed;
    expect(received()).toContain('"waited":true');
    expect(await drained).toBe(true);
  });

  test("calls that do not finish in time are cut off, and the drain reports it", async () => {
    const { tool, entered, open } = gate();
    const { origin, app, logs } = await startApp({ WORKSPACE_DIR: folder.path }, { tools: [tool] });
    const call = rpc(origin, CALL).then((r) => r.text());
    call.catch(() => undefined);
    await entered;
    expect(await drain(app, 50)).toBe(false);
    await call.catch(() => undefined);
    expect(logs.find((l) => l.msg === "stream")).toMatchObject({ disconnect_reason: "drain_timeout" });
    open();
  });
});
