import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { SqliteStore } from "../../../server/store/sqlite-store.ts";
import { makeToken } from "../auth/support.ts";
import { makeRepository, rpc, startApp, temporaryFolder } from "../support.ts";

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let env: Record<string, string>;
beforeAll(async () => {
  folder = await temporaryFolder();
  await makeRepository(join(folder.path, "workspace", "sample"));
  env = {
    WORKSPACE_DIR: join(folder.path, "workspace"),
    TOKENS_FILE: join(folder.path, "tokens.json"),
    AUTH_MODE: "token",
  };
});
afterAll(() => folder.remove());

const LIST = { jsonrpc: "2.0", id: 1, method: "tools/list", params: {} };
const from = (address: string) => ({ "x-forwarded-for": address });
/** The answer to a request that is refused for a limit: of several at once, since a bucket fills up again on a slow machine. */
async function refusal(ask: () => Promise<Response>): Promise<Response> {
  const answers = await Promise.all(Array.from({ length: 8 }, ask));
  const refused = answers.find(({ status }) => status === 429);
  if (!refused) throw new Error(`not refused: ${answers.map(({ status }) => status)}`);
  return refused;
}
const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

describe("token buckets", () => {
  test("an address that sends too much gets 429 before it is authenticated; others and the machine itself do not", async () => {
    await using running = await startApp({ ...env, RATE_LIMIT_ADDRESS: "1" });
    const ask = async (headers: Record<string, string>) => (await rpc(running.origin, LIST, headers)).status;
    expect([await ask(from("192.0.2.1")), await ask(from("192.0.2.1"))]).toEqual([401, 401]);
    const headers = { ...from("192.0.2.1"), origin: "http://localhost:6274" };
    const refused = await refusal(() => rpc(running.origin, LIST, headers));
    expect(refused.headers.get("retry-after")).toBe("1");
    expect(refused.headers.get("access-control-allow-origin")).toBe("http://localhost:6274");
    expect(await refused.json()).toMatchObject({
      jsonrpc: "2.0",
      id: null,
      error: {
        code: -32_000,
        message: expect.stringContaining("this address may send 1 a second"),
        data: { retry_after: 1 },
      },
    });
    expect(await ask(from("192.0.2.2"))).toBe(401);
    for (let n = 0; n < 5; n++) expect((await fetch(`${running.origin}/readyz`)).status).toBe(200);
    const api = await refusal(() => fetch(`${running.origin}/api/tools`, { headers: from("192.0.2.1") }));
    expect(await api.json()).toMatchObject({ error: expect.stringContaining("Too many"), retry_after: 1 });
  });

  test("an IPv6 client is identified by its /64", async () => {
    await using running = await startApp({ ...env, RATE_LIMIT_ADDRESS: "1" });
    const ask = (address: string) => rpc(running.origin, LIST, from(address));
    expect((await ask("2001:db8:1:2::1")).status).toBe(401);
    expect((await ask("2001:db8:1:2::2")).status).toBe(401);
    let host = 0;
    await refusal(() => ask(`2001:db8:1:2:ffff::${++host}`));
    expect((await ask("2001:db8:1:3::1")).status).toBe(401);
  });

  test("each token has its own bucket, through both endpoints", async () => {
    await using running = await startApp({ ...env, RATE_LIMIT_TOKEN: "1" });
    const [one, other] = [await makeToken(env), await makeToken(env)];
    expect((await rpc(running.origin, LIST, bearer(one.token))).status).toBe(200);
    expect((await fetch(`${running.origin}/api/tools`, { headers: bearer(one.token) })).status).toBe(200);
    const refused = await refusal(() => rpc(running.origin, LIST, bearer(one.token)));
    expect(await refused.json()).toMatchObject({ error: { message: expect.stringContaining("this token") } });
    expect((await rpc(running.origin, LIST, bearer(other.token))).status).toBe(200);
  });

  test("0 means no limit; without authentication, only the limit per address applies", async () => {
    await using running = await startApp({
      WORKSPACE_DIR: join(folder.path, "workspace"),
      RATE_LIMIT_ADDRESS: "0",
      RATE_LIMIT_TOKEN: "1",
    });
    for (let n = 0; n < 6; n++) expect((await rpc(running.origin, LIST, from("192.0.2.1"))).status).toBe(200);
  });
});

describe("quotas", () => {
  test("a token's daily calls are counted across a restart; its own quota takes precedence", async () => {
    const state = { ...env, QUOTA_PER_DAY: "2", SESSIONS_DIR: folder.path };
    const [limited, free] = [await makeToken(env), await makeToken(env, "--quota", "0")];
    {
      await using running = await startApp(state);
      expect((await rpc(running.origin, LIST, bearer(limited.token))).status).toBe(200);
      expect(running.app.capabilities.has("lasting-quotas")).toBe(true);
    }
    await using running = await startApp(state);
    const call = (token: string) =>
      fetch(`${running.origin}/api/tools/list_files`, { method: "POST", headers: bearer(token) });
    expect((await call(limited.token)).status).toBe(200);
    const refused = await call(limited.token);
    expect(refused.status).toBe(429);
    expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0);
    expect(Number(refused.headers.get("retry-after"))).toBeLessThanOrEqual(86_400);
    expect(await refused.json()).toMatchObject({ error: expect.stringContaining("2 calls a day") });
    const onMcp = await rpc(running.origin, LIST, bearer(limited.token));
    expect(await onMcp.json()).toMatchObject({
      error: { code: -32_000, data: { retry_after: expect.any(Number) } },
    });
    for (let n = 0; n < 4; n++) expect((await call(free.token)).status).toBe(200);
    const { body } = await running.app.http.inject("/metrics");
    expect(body).toContain('mcp_edge_refused_total{reason="quota"} 2');
  });

  test("an unwritable state folder is logged, and the server runs", async () => {
    const state = join(folder.path, "nowhere", "state");
    // The sessions lie elsewhere: where they cannot be written, the server does not start.
    const store = new SqliteStore(":memory:");
    await using running = await startApp({ ...env, SESSIONS_DIR: state }, { store });
    const { token } = await makeToken(env);
    expect((await rpc(running.origin, LIST, bearer(token))).status).toBe(200);
    const quotas = running.app.capabilities.snapshot().capabilities.find((c) => c.name === "lasting-quotas");
    expect(quotas).toMatchObject({ available: false, why: expect.stringContaining("install -d") });
    expect(running.logs).toContainEqual(expect.objectContaining({ msg: "usage" }));
  });
});

describe("overload", () => {
  test("new requests get 503 and Retry-After, as JSON-RPC on /mcp; the operator's endpoints still answer", async () => {
    await using running = await startApp({ ...env, SHED_RSS_MB: "1" });
    // The first measurement comes after a second.
    let response = await rpc(running.origin, LIST);
    while (response.status !== 503) {
      await response.text();
      await new Promise((r) => setTimeout(r, 50));
      response = await rpc(running.origin, LIST);
    }
    expect(response.headers.get("retry-after")).toBe("5");
    expect(await response.json()).toMatchObject({
      error: { code: -32_000, message: expect.stringContaining("overloaded"), data: { retry_after: 5 } },
    });
    expect((await fetch(`${running.origin}/`)).status).toBe(503);
    expect((await fetch(`${running.origin}/readyz`)).status).toBe(200);
    const metrics = await (await fetch(`${running.origin}/metrics`)).text();
    expect(metrics).toMatch(/mcp_edge_refused_total\{reason="overload"\} \d/);
    expect(running.logs.filter((line) => line.level === "error")).toEqual([]);
  });
});
