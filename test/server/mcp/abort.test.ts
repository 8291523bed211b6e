import { afterAll, beforeAll, expect, test } from "@jest/globals";
import * as z from "zod";
import { defineTool } from "../../../server/tools/tool.ts";
import { openSession, type RunningApp, rpc, startApp } from "../support.ts";

const entered: (() => void)[] = [];
const aborted: (() => void)[] = [];
const hang = defineTool({
  name: "hang",
  title: "Hang",
  description: "Ends only when it is cancelled",
  scope: "code:read",
  input: z.object({}),
  output: z.object({}),
  run: (_, { signal }) =>
    new Promise((_resolve, reject) => {
      signal.addEventListener("abort", () => {
        for (const wake of aborted.splice(0)) wake();
        reject(signal.reason);
      });
      for (const wake of entered.splice(0)) wake();
    }),
});

let running: RunningApp;
beforeAll(async () => {
  running = await startApp({}, { tools: [hang] });
});
afterAll(() => running.app.close());

const next = (list: (() => void)[]) => new Promise<void>((wake) => list.push(wake));
const CALL = { jsonrpc: "2.0", id: 9, method: "tools/call", params: { name: "hang", arguments: {} } };

test("2026: closing the connection cancels the call", async () => {
  const connection = new AbortController();
  const [started, ended] = [next(entered), next(aborted)];
  const call = fetch(`${running.origin}/mcp`, {
    method: "POST",
    signal: connection.signal,
    headers: {
      "content-type": "application/json",
      accept: "application/json, text/event-stream",
      "mcp-protocol-version": "2026-07-28",
      "mcp-method": "tools/call",
      "mcp-name": "hang",
    },
    body: JSON.stringify({
      ...CALL,
      params: {
        ...CALL.params,
        _meta: {
          "io.modelcontextprotocol/protocolVersion": "2026-07-28",
          "io.modelcontextprotocol/clientInfo": { name: "t", version: "1" },
          "io.modelcontextprotocol/clientCapabilities": {},
        },
      },
    }),
  });
  const failed = expect(call).rejects.toThrow("aborted");
  await started;
  connection.abort();
  await failed;
  await expect(ended).resolves.toBeUndefined();
});

test("2025: notifications/cancelled cancels the call", async () => {
  const session = { "mcp-session-id": await openSession(running.origin) };
  const [started, ended] = [next(entered), next(aborted)];
  const connection = new AbortController();
  const call = await fetch(`${running.origin}/mcp`, {
    method: "POST",
    signal: connection.signal,
    headers: {
      ...session,
      "content-type": "application/json",
      accept: "application/json, text/event-stream",
    },
    body: JSON.stringify(CALL),
  });
  await started;
  const cancel = { jsonrpc: "2.0", method: "notifications/cancelled", params: { requestId: 9 } };
  expect((await rpc(running.origin, cancel, session)).status).toBe(202);
  await expect(ended).resolves.toBeUndefined();
  expect(call.status).toBe(200);
  connection.abort();
});
