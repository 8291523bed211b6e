import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { readableTypes } from "../../../server/mcp/accept.ts";
import {
  INITIALIZE,
  JSON_HEADERS,
  makeRepository,
  openSession,
  type RunningApp,
  startApp,
  temporaryFolder,
} from "../support.ts";

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
    running = await startApp({ WORKSPACE_DIR: folder.path });
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
      "is answered for Accept: %s in a type that it names",
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

    test("is refused, by 406 that names both types, for a client that reads neither", async () => {
      const { body, headers } = request();
      const response = await post(body, "text/html", headers as Record<string, string>);
      expect(response.status).toBe(406);
      expect(await response.json()).toMatchObject({
        error: { message: expect.stringContaining("application/json, text/event-stream") },
      });
    });
  });

  test("a batch for a client that reads only JSON is one array, the session's id stays", async () => {
    const response = await post([CALL(1), CALL(2)], "application/json");
    expect(response.headers.get("content-type")).toMatch(/^application\/json/);
    const answers = (await response.json()) as { id: number }[];
    expect(answers.map(({ id }) => id).sort()).toEqual([1, 2]);
    const opened = await post(INITIALIZE, "application/json");
    expect(opened.headers.get("mcp-session-id")).toMatch(/^[0-9a-f-]{36}$/);
  });

  test("errors keep their status and are JSON for everybody", async () => {
    const headers = { "mcp-session-id": "nobody" };
    const response = await post(CALL(1), "text/event-stream", headers);
    expect(response.status).toBe(404);
    expect(await response.json()).toMatchObject({ error: { message: "Session not found" } });
  });

  test("what is only a stream needs a client that reads one", async () => {
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
