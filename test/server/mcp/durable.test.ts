import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { tokenCommand } from "../../../server/auth/token-command.ts";
import { SqliteStore } from "../../../server/store/sqlite-store.ts";
import { makeRepository, openSession, type RunningApp, rpc, startApp, temporaryFolder } from "../support.ts";

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let env: Record<string, string>;
let tokens: string[];
beforeAll(async () => {
  folder = await temporaryFolder();
  await makeRepository(join(folder.path, "workspace", "sample"));
  const tokensFile = join(folder.path, "tokens.json");
  tokens = [];
  for (const name of ["one", "two"])
    await tokenCommand({ TOKENS_FILE: tokensFile }, (text) => tokens.push(JSON.parse(text).token)).parseAsync(
      ["create", "--name", name, "--json"],
      { from: "user" },
    );
  env = {
    WORKSPACE_DIR: join(folder.path, "workspace"),
    AUTH_MODE: "token",
    TOKENS_FILE: tokensFile,
    SESSIONS_DIR: join(folder.path, "sessions"),
  };
});
afterAll(() => folder.remove());

const LIST = { jsonrpc: "2.0", id: 5, method: "tools/list", params: {} };
const bearer = (n: number) => ({ authorization: `Bearer ${tokens[n]}` });
const list = (app: RunningApp, session: string, n = 0) =>
  rpc(app.origin, LIST, { ...bearer(n), "mcp-session-id": session });
const restoredSessions = (app: RunningApp) => app.logs.filter((l) => l.msg === "session restored").length;

describe("a session after a restart", () => {
  test("still belongs to the token that opened it, and to no other", async () => {
    const first = await startApp(env);
    const session = await openSession(first.origin, bearer(0));
    await first.app.close();
    await using second = await startApp(env);
    const stranger = await list(second, session, 1);
    expect(stranger.status).toBe(404);
    expect(await stranger.json()).toMatchObject({ error: { message: "Session not found" } });
    expect(restoredSessions(second)).toBe(0);
    expect((await list(second, session)).status).toBe(200);
    // The session is in memory by now. Another token still cannot use it.
    expect((await list(second, session, 1)).status).toBe(404);
    expect(restoredSessions(second)).toBe(1);
  });

  test("keeps its log level and its subscriptions", async () => {
    const first = await startApp(env);
    const headers = { ...bearer(0), "mcp-session-id": await openSession(first.origin, bearer(0)) };
    const level = { jsonrpc: "2.0", id: 6, method: "logging/setLevel", params: { level: "error" } };
    await (await rpc(first.origin, level, headers)).text();
    const uri = "repo://sample/README.md";
    const subscribe = { jsonrpc: "2.0", id: 7, method: "resources/subscribe", params: { uri } };
    await (await rpc(first.origin, subscribe, headers)).text();
    await first.app.close();
    const store = new SqliteStore(join(env.SESSIONS_DIR ?? "", "sessions.db"));
    expect(await store.read(headers["mcp-session-id"])).toMatchObject({
      state: { initialized: true, logLevel: "error", subscriptions: { [uri]: expect.any(String) } },
    });
    await store.close();
    await using second = await startApp(env);
    expect((await rpc(second.origin, LIST, headers)).status).toBe(200);
  });
});

test("a session that was evicted from memory is restored from its record", async () => {
  await using app = await startApp(env, { live: { max: 1 } });
  const [one, two] = [await openSession(app.origin, bearer(0)), await openSession(app.origin, bearer(0))];
  expect(await (await list(app, one)).text()).toContain("search_text");
  expect(await (await list(app, two)).text()).toContain("search_text");
  expect(restoredSessions(app)).toBe(2);
});

test("while the store does not answer, sessions in memory work, others get 503, and none is lost", async () => {
  const other = await startApp(env);
  const elsewhere = await openSession(other.origin, bearer(0));
  await other.app.close();
  const store = new SqliteStore(join(env.SESSIONS_DIR ?? "", "sessions.db"));
  await using app = await startApp(env, { store });
  const session = await openSession(app.origin, bearer(0));
  for (const name of ["create", "read", "changeState", "write"] as const)
    store[name] = async () => {
      throw new Error("the store is away");
    };
  expect((await list(app, session)).status).toBe(200);
  const answer = await list(app, elsewhere);
  expect(answer.status).toBe(503);
  expect(answer.headers.get("retry-after")).toBe("10");
  expect(await answer.text()).not.toContain("away");
  expect(await openSession(app.origin, bearer(0))).toMatch(/^[0-9a-f-]{36}$/);
  expect(app.logs.some((l) => l.reason === "the store is away")).toBe(true);
});
