import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { ProtocolError, ProtocolErrorCode, ResourceNotFoundError } from "@modelcontextprotocol/server";
import type { FastifyBaseLogger } from "fastify";
import { sdkErrors } from "../../../server/mcp/sdk-errors.ts";
import { SqliteStore } from "../../../server/store/sqlite-store.ts";
import { makeRepository, type RunningApp, rpc, startApp, temporaryFolder } from "../support.ts";

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
beforeAll(async () => {
  folder = await temporaryFolder();
  await makeRepository(join(folder.path, "workspace", "sample"));
});
afterAll(() => folder.remove());

const levels = (app: RunningApp, msg: string) => app.logs.filter((l) => l.msg === msg).map((l) => l.level);
const LIST = { jsonrpc: "2.0", id: 5, method: "tools/list", params: {} };

function thrown(work: () => unknown): Error {
  try {
    work();
  } catch (error) {
    return error as Error;
  }
  throw new Error("nothing was thrown");
}

describe("an error that the SDK reports", () => {
  const reports: [string, Error, "debug" | "error"][] = [
    ["a refused request", new Error("Rejected inbound request (header-mismatch): x"), "debug"],
    ["an unknown session", new Error("Session not found"), "debug"],
    ["invalid JSON", thrown(() => JSON.parse("{")), "debug"],
    ["a response without a request", new Error("Received a response for an unknown message ID: 1"), "debug"],
    ["wrong params", new ProtocolError(ProtocolErrorCode.InvalidParams, "x"), "debug"],
    ["a missing resource", new ResourceNotFoundError("x"), "debug"],
    ["a factory that throws", new TypeError("Cannot read properties of undefined"), "error"],
    [
      "a response that could not be sent",
      new Error("Failed to send response: Error: Not connected"),
      "error",
    ],
    ["a handler of notifications", new Error("Uncaught error in notification handler: x"), "error"],
    ["an internal error", new ProtocolError(ProtocolErrorCode.InternalError, "x"), "error"],
    ["an unknown error of a newer SDK", new Error("Something new"), "error"],
  ];
  test.each(reports)("%s", (_, error, level) => {
    const lines: [string, object][] = [];
    const at = (name: string) => (facts: object) => void lines.push([name, facts]);
    sdkErrors({ debug: at("debug"), error: at("error") } as unknown as FastifyBaseLogger, { session: "s" })(
      error,
    );
    expect(lines).toEqual([
      [level, { session: "s", ...(level === "error" ? { err: error } : { reason: error.message }) }],
    ]);
  });
});

describe("over HTTP", () => {
  test("an MCP server that cannot be created is logged as an error for 2025 and 2026 clients, and a malformed request is not", async () => {
    let broken = true;
    const profile = {
      register: () => {
        if (broken) throw new Error("the profile is broken");
      },
    };
    await using app = await startApp({ WORKSPACE_DIR: join(folder.path, "workspace") }, { profile });
    const modern = {
      ...LIST,
      params: {
        _meta: {
          "io.modelcontextprotocol/protocolVersion": "2026-07-28",
          "io.modelcontextprotocol/clientInfo": { name: "t", version: "1" },
          "io.modelcontextprotocol/clientCapabilities": {},
        },
      },
    };
    const headers = { "mcp-protocol-version": "2026-07-28", "mcp-method": "tools/list" };
    expect((await rpc(app.origin, LIST)).status).toBe(500);
    expect((await rpc(app.origin, modern, headers)).status).toBe(500);
    const errors = levels(app, "mcp failed").filter((level) => level === "error");
    expect(errors).toHaveLength(2);
    broken = false;
    await (await rpc(app.origin, { jsonrpc: "2.0", id: 1, method: 7 })).text();
    await (await rpc(app.origin, modern, { ...headers, "mcp-method": "tools/call" })).text();
    expect(levels(app, "mcp failed")).toHaveLength(2);
    expect(levels(app, "mcp refused").every((level) => level === "debug")).toBe(true);
  });

  test.each([
    ["refuses", { capabilities: {} }],
    ["does not know", "nonsense"],
  ])(
    "a session whose initialize a newer SDK %s is unknown, so that its client starts a new one",
    async (_, params) => {
      const store = new SqliteStore(":memory:");
      await using app = await startApp({ WORKSPACE_DIR: join(folder.path, "workspace") }, { store });
      const state = { initialized: true, subscriptions: {}, lists: {} };
      await store.create({
        id: "00000000-0000-4000-8000-000000000000",
        principal: "anonymous",
        params,
        state,
      });
      const answer = await rpc(app.origin, LIST, {
        "mcp-session-id": "00000000-0000-4000-8000-000000000000",
      });
      expect(answer.status).toBe(404);
      expect(await answer.json()).toMatchObject({ error: { message: "Session not found" } });
      expect(levels(app, "session cannot be restored")).toEqual(["warn"]);
    },
  );
});
