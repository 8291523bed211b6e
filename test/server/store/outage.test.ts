import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { Redis } from "iovalkey";
import { withOutages } from "../../../server/store/outages.ts";
import { SqliteStore } from "../../../server/store/sqlite-store.ts";
import { STANDALONE, type Store } from "../../../server/store/store.ts";
import { StoreUnavailable } from "../../../server/store/store-unavailable.ts";
import { ValkeyStore } from "../../../server/store/valkey-store.ts";
import { EventReader } from "../mcp/instances.ts";
import {
  eventually,
  eventuallyAsync,
  JSON_HEADERS,
  makeRepository,
  openSession,
  type RunningApp,
  rpc,
  startApp,
  temporaryFolder,
} from "../support.ts";
import { CutProxy } from "./cut-proxy.ts";
import { whyNoDebian } from "./debian-program.ts";
import { SERVERS, ValkeyServer } from "./valkey.ts";

/** The time limit of a command that gets no answer, in milliseconds. The tests wait for it, but a busy host is no outage: it may give a process no turn for two seconds. */
const SILENT_LIMIT_MS = 5_000;
/** The limit where Valkey or the system answers that it is away. Nothing waits for it. */
const ANSWERED_LIMIT_MS = 60_000;
const LIST = { jsonrpc: "2.0", id: 5, method: "tools/list", params: {} };
const MODERN = {
  "io.modelcontextprotocol/protocolVersion": "2026-07-28",
  "io.modelcontextprotocol/clientInfo": { name: "t", version: "1" },
  "io.modelcontextprotocol/clientCapabilities": {},
};

describe("withOutages", () => {
  test("every failure is a StoreUnavailable that does not show the reason; the start and the end of an outage are reported once", async () => {
    const reports: string[] = [];
    const inner = new SqliteStore(":memory:");
    const store = withOutages(inner, {
      onAway: (reason) => reports.push(reason),
      onBack: () => reports.push("back"),
    });
    const working = { ...bound(inner) };
    const names = [
      "create",
      "read",
      "changeState",
      "touch",
      "remove",
      "write",
      "call",
      "events",
      "beat",
    ] as const;
    for (const name of [...names, "reap", "send", "receive", "sweep", "check"] as const) {
      inner[name] = () => {
        throw new Error(`${name} at secret-host`);
      };
      const failed = (store[name] as () => Promise<unknown>)();
      await expect(failed).rejects.toBeInstanceOf(StoreUnavailable);
      await expect(failed).rejects.not.toThrow(/secret-host/);
      await expect(failed).rejects.toMatchObject({ statusCode: 503, reason: `${name} at secret-host` });
    }
    expect(reports).toEqual(["create at secret-host"]);
    Object.assign(inner, working);
    await eventually(() => reports.length === 2, "the end of the outage");
    expect(reports[1]).toBe("back");
    await store.close();
  });
});

describe("a store that does not answer", () => {
  /** Fails after some time, as a command that timed out, until it is restored. */
  function slow(failure: Error) {
    const inner = new SqliteStore(":memory:");
    let broken = true;
    let reads = 0;
    const read = inner.read.bind(inner);
    const check = inner.check.bind(inner);
    inner.check = async () => {
      if (broken) throw failure;
      return check();
    };
    inner.read = async (id) => {
      reads++;
      if (!broken) return read(id);
      await new Promise((resolve) => setTimeout(resolve, 150));
      throw failure;
    };
    const reports: string[] = [];
    const listener = { onAway: () => reports.push("away"), onBack: () => reports.push("back") };
    const restore = () => {
      broken = false;
    };
    return { store: withOutages(inner, listener), reports, restore, reads: () => reads };
  }

  test("gets no further commands until it works again, and requests fail at once until then", async () => {
    const { store, reports, restore, reads } = slow(new Error("Command timed out"));
    await expect(store.read("a")).rejects.toBeInstanceOf(StoreUnavailable);
    for (let n = 0; n < 5; n++)
      await expect(store.read("a")).rejects.toMatchObject({ reason: "Command timed out" });
    await expect(store.check()).rejects.toBeInstanceOf(StoreUnavailable);
    expect(reads()).toBe(1);
    restore();
    await eventually(() => reports.includes("back"), "the end of the outage");
    expect(await store.read("a")).toBeUndefined();
    expect(reports).toEqual(["away", "back"]);
    await store.close();
  });

  test("is different from a store that answers with an error, which still gets commands", async () => {
    const refused = Object.assign(new Error("OOM command not allowed"), { name: "ReplyError" });
    const { store, reads } = slow(refused);
    for (let n = 0; n < 2; n++) await expect(store.read("a")).rejects.toBeInstanceOf(StoreUnavailable);
    expect(reads()).toBe(2);
    await store.close();
  });
});

function bound(store: Store): Pick<Store, "check"> {
  return { check: store.check.bind(store) };
}

const reason = whyNoDebian();
if (reason !== undefined)
  test(`Valkey cannot run here: ${reason}`, () => {
    expect(process.env.CI).not.toBe("true");
  });
else describe("while Valkey is away, requests that need no store are answered", () => outages());

function outages(): void {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let server: ValkeyServer;
  let proxy: CutProxy;
  let env: Record<string, string>;
  beforeAll(async () => {
    folder = await temporaryFolder();
    await makeRepository(join(folder.path, "workspace", "sample"));
    env = { WORKSPACE_DIR: join(folder.path, "workspace") };
    server = await ValkeyServer.start(SERVERS[0]);
    proxy = await CutProxy.start(server.socket);
  }, 300_000);
  afterAll(async () => {
    await proxy?.[Symbol.asyncDispose]();
    await server?.[Symbol.asyncDispose]();
    await folder.remove();
  });

  const storeWith = (limitMs: number) => new ValkeyStore(proxy.url, () => undefined, limitMs);
  const memory = async (bytes: string) => {
    const db = new Redis(server.socket);
    await db.config("SET", "maxmemory-policy", "noeviction");
    await db.config("SET", "maxmemory", bytes);
    db.disconnect();
  };
  const within = (session: string) => ({ "mcp-session-id": session });
  const list = (app: RunningApp, session: string) => rpc(app.origin, LIST, within(session));
  const modern = (app: RunningApp) =>
    rpc(
      app.origin,
      { ...LIST, params: { _meta: MODERN } },
      { "mcp-protocol-version": "2026-07-28", "mcp-method": "tools/list" },
    );
  const notifications = (app: RunningApp, session: string, last?: string) =>
    fetch(`${app.origin}/mcp`, {
      headers: {
        ...JSON_HEADERS,
        ...within(session),
        "mcp-protocol-version": "2025-11-25",
        ...(last === undefined ? {} : { "last-event-id": last }),
      },
    });
  const kinds = [
    {
      title: "killed",
      begin: () => server.kill(),
      end: () => server.run(),
      reads: false,
      limitMs: ANSWERED_LIMIT_MS,
    },
    {
      title: "frozen",
      begin: async () => server.freeze(),
      end: async () => server.thaw(),
      reads: false,
      limitMs: SILENT_LIMIT_MS,
    },
    {
      title: "full (noeviction)",
      begin: () => memory("1mb"),
      end: () => memory("0"),
      reads: true,
      limitMs: ANSWERED_LIMIT_MS,
    },
    {
      title: "cut off by the network",
      begin: async () => proxy.cut(),
      end: async () => proxy.heal(),
      reads: false,
      limitMs: SILENT_LIMIT_MS,
    },
  ];

  test("a server whose Valkey does not exist starts, is ready and serves", async () => {
    const nowhere = { ...env, STORE_URL: `unix://${join(folder.path, "no.sock")}` };
    await using app = await startApp(nowhere);
    expect((await fetch(`${app.origin}/readyz`)).status).toBe(200);
    expect((await modern(app)).status).toBe(200);
    expect((await list(app, await openSession(app.origin))).status).toBe(200);
  });

  test.each(kinds)("$title", async ({ begin, end, reads, limitMs }) => {
    const store = () => storeWith(limitMs);
    const start = () => startApp(env, { store: store() });
    const other = await start();
    const elsewhere = await openSession(other.origin);
    await other.app.close();
    await using app = await start();
    const session = await openSession(app.origin);
    const stream = new EventReader(await notifications(app, session));
    await stream.next();
    const away = (from: RunningApp) =>
      from.logs.some((l) => String(l.msg).startsWith("session store is away"));
    await begin();
    let over = false;
    const endOnce = async () => {
      if (!over) await end();
      over = true;
    };
    try {
      // The instance's heartbeat detects the outage.
      await eventually(() => away(app), "the outage to be noticed");
      const ready = await fetch(`${app.origin}/readyz`);
      expect(ready.status).toBe(200);
      expect(await ready.json()).toMatchObject({
        ready: true,
        checks: { store: { ok: false, counts: false }, workspace: { ok: true, counts: true } },
      });
      expect((await list(app, session)).status).toBe(200);
      expect((await modern(app)).status).toBe(200);
      const unknown = await list(app, elsewhere);
      expect(unknown.status).toBe(reads ? 200 : 503);
      if (!reads) {
        expect(unknown.headers.get("retry-after")).toBe("10");
        expect(await unknown.json()).toMatchObject({ jsonrpc: "2.0", error: { code: -32_000 } });
      }
      const place = `0~0123456789abcdef~~${randomUUID()}`;
      expect((await notifications(app, session, place)).status).toBe(reads ? 204 : 503);
      const made = await openSession(app.origin);
      expect((await list(app, made)).status).toBe(200);
      const unmade = await fetch(`${app.origin}/mcp`, {
        method: "DELETE",
        headers: within(await openSession(app.origin)),
      });
      expect([200, 503]).toContain(unmade.status);
      await using young = await start();
      expect((await modern(young)).status).toBe(200);
      expect((await fetch(`${young.origin}/readyz`)).status).toBe(200);
      const inYoung = await openSession(young.origin);

      await endOnce();
      const direct = store();
      for (const id of [made, inYoung])
        await eventuallyAsync(async () => (await direct.read(id)) !== undefined, "the session's record");
      await eventually(
        () => app.logs.some((l) => l.msg === "session store is back"),
        "the end of the outage",
      );
      expect((await list(young, made)).status).toBe(200);
      // The stream that stayed open gets new events.
      const events = [
        { session, stream: STANDALONE, n: undefined, message: '{"jsonrpc":"2.0","method":"after"}' },
      ];
      await direct.write({ started: [], events, ended: [] });
      await direct.send(
        "test",
        "*",
        JSON.stringify({ t: "woke", session, stream: STANDALONE, from: "test" }),
      );
      await direct.close();
      expect((await stream.until((e) => e.message?.method === "after")).at(-1)?.message?.method).toBe(
        "after",
      );
      await stream.cut();
      for (const one of [app, young]) {
        expect(one.logs.filter((l) => l.status === 500)).toEqual([]);
        expect(one.logs.filter((l) => String(l.msg).startsWith("session store is away"))).toHaveLength(1);
      }
    } finally {
      await endOnce();
    }
  });
}
