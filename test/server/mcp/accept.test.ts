import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import * as z from "zod";
import { readableTypes } from "../../../server/mcp/accept.ts";
import { TOOLS } from "../../../server/tools/index.ts";
import { defineTool } from "../../../server/tools/tool.ts";
import {
  eventually,
  INITIALIZE,
  JSON_HEADERS,
  makeRepository,
  openSession,
  type RunningApp,
  rpc,
  startApp,
  temporaryFolder,
} from "../support.ts";

/** Calls at work of a tool that goes on until it is cancelled. */
let waiting = 0;
const wait = defineTool({
  name: "wait",
  title: "Wait",
  description: "Waits",
  scope: "code:read",
  input: z.object({}),
  output: z.object({}),
  run: async (_args, { signal }) => {
    waiting++;
    await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
    waiting--;
    return {};
  },
});

describe("readableTypes", () => {
  test.each([
    [undefined, true, true],
    ["", true, true],
    ["*/*", true, true],
    ["*", true, true],
    ["application/json", true, false],
    ["Application/JSON; charset=utf-8", true, false],
    ["application/*", true, false],
    ["text/event-stream", false, true],
    ["text/*;q=0.5", false, true],
    ["application/json, text/event-stream;q=0", true, false],
    ["text/event-stream;q=0, */*", true, false],
    ["text/html,application/xhtml+xml,*/*;q=0.8", true, true],
    ["text/html", false, false],
    [" , ", true, true],
    ["text/event-stream;q=high", false, true],
    ["application/json;q=0, text/event-stream;q=0", false, false],
  ])("%s", (accept, json, stream) => {
    expect(readableTypes(accept)).toEqual({ json, stream });
  });
});

describe("POST /mcp", () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let running: RunningApp;
  let session: string;

  beforeAll(async () => {
    folder = await temporaryFolder();
    await makeRepository(join(folder.path, "sample"));
    running = await startApp({ WORKSPACE_DIR: folder.path }, { tools: [...TOOLS, wait] });
    session = await openSession(running.origin);
  });
  afterAll(async () => {
    await running.app.close();
    await folder.remove();
  });

  /** POST with this Accept header. */
  const post = (body: unknown, accept: string, headers: Record<string, string> = {}) =>
    fetch(`${running.origin}/mcp`, {
      method: "POST",
      headers: { ...JSON_HEADERS, ...headers, accept },
      body: JSON.stringify(body),
    });

  const CALL = (id: number) => ({
    jsonrpc: "2.0",
    id,
    method: "tools/call",
    params: { name: "search_text", arguments: { query: "needle" } },
  });
  const ENVELOPE = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientCapabilities": {},
    "io.modelcontextprotocol/clientInfo": { name: "test", version: "1" },
  };
  const modern = (method: string, params: object = {}) => ({
    body: { jsonrpc: "2.0", id: 9, method, params: { ...params, _meta: ENVELOPE } },
    headers: { "mcp-protocol-version": "2026-07-28", "mcp-method": method },
  });

  const kinds = {
    "initialize (2025)": () => ({ body: INITIALIZE, headers: {} }),
    "tools/list without a session (2025)": () => ({
      body: { jsonrpc: "2.0", id: 5, method: "tools/list" },
      headers: {},
    }),
    "tools/call in a session (2025)": () => ({ body: CALL(7), headers: { "mcp-session-id": session } }),
    "tools/list (2026-07-28)": () => modern("tools/list"),
  };

  describe.each(Object.entries(kinds))("%s", (_, request) => {
    test.each(["application/json", "text/event-stream", "*/*", "application/*", "text/*"])(
      "is answered in a type that Accept: %s names",
      async (accept) => {
        const { body, headers } = request();
        const response = await post(body, accept, headers as Record<string, string>);
        const text = await response.text();
        expect([response.status, text.length > 0]).toEqual([200, true]);
        const type = response.headers.get("content-type") ?? "";
        const [main] = accept.split("/");
        if (main !== "*") expect(type).toMatch(new RegExp(`^${main}/`));
        const data = type.startsWith("application/json")
          ? text
          : text
              .split("\n")
              .filter((line) => line.startsWith("data: {"))
              .map((line) => line.slice(6))
              .join("");
        expect(JSON.parse(data)).toMatchObject({ id: body.id, result: {} });
      },
    );

    test("is refused with 406, which names both types, for a client that reads neither", async () => {
      const { body, headers } = request();
      const response = await post(body, "text/html", headers as Record<string, string>);
      expect(response.status).toBe(406);
      expect(await response.json()).toMatchObject({
        id: body.id,
        error: { message: expect.stringContaining("application/json, text/event-stream") },
      });
    });
  });

  test("a batch for a client that reads only JSON is answered with one array and the session's id", async () => {
    const response = await post([CALL(1), CALL(2)], "application/json");
    expect(response.headers.get("content-type")).toMatch(/^application\/json/);
    const answers = (await response.json()) as { id: number }[];
    expect(answers.map(({ id }) => id).sort()).toEqual([1, 2]);
    const ofOne = await post([CALL(3)], "application/json");
    expect(await ofOne.json()).toMatchObject([{ id: 3 }]);
    const opened = await post(INITIALIZE, "application/json");
    expect(opened.headers.get("mcp-session-id")).toMatch(/^[0-9a-f-]{36}$/);
  });

  describe("a client that reads only JSON", () => {
    const waitFor = async (headers: Record<string, string>, signal?: AbortSignal) => {
      const body = { jsonrpc: "2.0", id: 7, method: "tools/call", params: { name: "wait", arguments: {} } };
      const answer = fetch(`${running.origin}/mcp`, {
        method: "POST",
        headers: { ...JSON_HEADERS, ...headers, accept: "application/json" },
        body: JSON.stringify(body),
        ...(signal ? { signal } : {}),
      });
      answer.catch(() => undefined);
      await eventually(() => waiting === 1, "the call to begin");
      return answer.then(async (response) => [response.status, await response.text()]);
    };
    const cancel = { jsonrpc: "2.0", method: "notifications/cancelled", params: { requestId: 7 } };

    test.each([
      ["it cancels the call", (headers: Record<string, string>) => rpc(running.origin, cancel, headers)],
      [
        "its session ends",
        (headers: Record<string, string>) => fetch(`${running.origin}/mcp`, { method: "DELETE", headers }),
      ],
    ])("gets no answer when %s: 202, not an empty batch", async (_, end) => {
      const headers = { "mcp-session-id": await openSession(running.origin) };
      const answer = waitFor(headers);
      await eventually(() => waiting === 1, "the call to begin");
      await end(headers);
      expect(await answer).toEqual([202, ""]);
      await eventually(() => waiting === 0, "the call to end");
    });

    test("may disconnect, which is not logged as a failure of the server", async () => {
      const lines = running.logs.filter((l) => l.msg === "request").length;
      const leaving = new AbortController();
      const answer = waitFor({}, leaving.signal);
      await eventually(() => waiting === 1, "the call to begin");
      leaving.abort();
      await expect(answer).rejects.toThrow("aborted");
      await eventually(() => waiting === 0, "the call to end");
      await eventually(
        () => running.logs.filter((l) => l.msg === "request").length > lines,
        "the request's line in the log",
      );
      expect(running.logs.filter((l) => l.level === "error")).toEqual([]);
    });
  });

  test("errors keep their status and are JSON, whatever the client accepts", async () => {
    const headers = { "mcp-session-id": "nobody" };
    const response = await post(CALL(1), "text/event-stream", headers);
    expect(response.status).toBe(404);
    expect(await response.json()).toMatchObject({ error: { message: "Session not found" } });
  });

  test("a request that is answered only with a stream is refused for a client that reads no stream", async () => {
    const get = (accept: string) =>
      fetch(`${running.origin}/mcp`, { headers: { accept, "mcp-session-id": session } });
    expect((await get("application/json")).status).toBe(406);
    const stream = await get("*/*");
    expect(stream.headers.get("content-type")).toMatch(/^text\/event-stream/);
    await stream.body?.cancel();
    const { body, headers } = modern("subscriptions/listen", { notifications: { toolsListChanged: true } });
    expect((await post(body, "application/json", headers)).status).toBe(406);
  });
});
