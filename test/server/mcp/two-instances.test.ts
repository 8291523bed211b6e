import { randomUUID } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "@jest/globals";
import { whyNoDebian } from "../store/debian-program.ts";
import { SERVERS, ValkeyServer } from "../store/valkey.ts";
import { eventually, INITIALIZE, JSON_HEADERS, makeRepository, rpc, temporaryFolder } from "../support.ts";
import { EventReader, Instance, type StreamEvent } from "./instances.ts";

const VERSION = { "mcp-protocol-version": "2025-11-25" };
const isAnswer = (event: StreamEvent) =>
  event.message?.id !== undefined && event.message.method === undefined;
const steps = (events: readonly StreamEvent[]) =>
  events.flatMap((e) => (e.message?.method === "notifications/progress" ? [e.message.params?.progress] : []));

describe("SQLite in the data volume", () => {
  switching(async () => {
    const folder = await temporaryFolder();
    return { env: { SESSIONS_DIR: join(folder.path, "sessions") }, end: () => folder.remove() };
  });
});

describe("Valkey", () => {
  const reason = whyNoDebian();
  if (reason !== undefined)
    test(`cannot run here: ${reason}`, () => {
      expect(process.env.CI).not.toBe("true");
    });
  else
    switching(async () => {
      const server = await ValkeyServer.start(SERVERS[0]);
      return { env: { STORE_URL: server.url }, end: () => server[Symbol.asyncDispose]() };
    });
});

/** The two units of a release switch, as real processes: blue was there, green takes over. */
function switching(open: () => Promise<{ env: Record<string, string>; end: () => Promise<void> }>): void {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let store: Awaited<ReturnType<typeof open>>;
  let blue: Instance;
  let green: Instance;
  const start = (colour: string) =>
    Instance.start(colour, {
      ...store.env,
      WORKSPACE_DIR: join(folder.path, "workspace"),
      AUTH_MODE: "none",
    });
  beforeAll(async () => {
    folder = await temporaryFolder();
    await makeRepository(join(folder.path, "workspace", "sample"));
    store = await open();
    [blue, green] = await Promise.all([start("blue"), start("green")]);
  }, 300_000);
  afterEach(async () => {
    // A test may have ended one.
    if (blue.over) blue = await start("blue");
  });
  afterAll(async () => {
    await blue?.end("SIGKILL");
    await green?.end("SIGKILL");
    await store?.end();
    await folder?.remove();
  });

  async function session(capabilities = {}): Promise<Record<string, string>> {
    const response = await rpc(blue.origin, {
      ...INITIALIZE,
      params: { ...INITIALIZE.params, capabilities },
    });
    await response.text();
    const headers = { ...VERSION, "mcp-session-id": response.headers.get("mcp-session-id") ?? "" };
    await rpc(blue.origin, { jsonrpc: "2.0", method: "notifications/initialized" }, headers);
    return headers;
  }
  async function call(at: Instance, name: string, args: object, headers: Record<string, string>, id = 7) {
    const params = { name, arguments: args, _meta: { progressToken: "p" } };
    const response = await rpc(at.origin, { jsonrpc: "2.0", id, method: "tools/call", params }, headers);
    expect(response.status).toBe(200);
    return new EventReader(response);
  }
  async function resume(at: Instance, headers: Record<string, string>, last?: string) {
    const place = last === undefined ? {} : { "last-event-id": last };
    const response = await fetch(`${at.origin}/mcp`, {
      headers: { ...JSON_HEADERS, ...headers, ...place },
    });
    expect(response.status).toBe(200);
    return new EventReader(response);
  }
  const LIST = { jsonrpc: "2.0", id: 3, method: "tools/list", params: {} };

  test("a session of one instance is served by the other, which restores it once for many requests", async () => {
    const headers = await session();
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, id) => rpc(green.origin, { ...LIST, id }, headers)),
    );
    for (const answer of answers) expect(await answer.text()).toContain('"count"');
    const restored = `"session":"${headers["mcp-session-id"]}","msg":"session restored"`;
    await eventually(() => green.log().includes(restored), "the line of the log");
    expect(green.log().split(restored)).toHaveLength(2);
    const deletion = await fetch(`${green.origin}/mcp`, { method: "DELETE", headers });
    expect(deletion.status).toBe(200);
    await eventuallyStatus(() => rpc(blue.origin, LIST, headers), 404);
  });

  test("a call of one instance is resumed at the other, with each event once", async () => {
    const headers = await session();
    const first = await call(blue, "count", { to: 12 }, headers);
    const before = await first.until((e) => steps([e])[0] === 3);
    await first.cut();
    const second = await resume(green, headers, before.at(-1)?.id);
    const between = await second.until((e) => steps([e])[0] === 6);
    await second.cut();
    const after = await (await resume(blue, headers, between.at(-1)?.id)).rest();
    const counted = steps([...before, ...between, ...after]) as number[];
    expect(counted).toEqual([...new Set(counted)].sort((a, b) => a - b));
    expect(counted.slice(0, 10)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    expect(after.at(-1)?.message).toMatchObject({ id: 7, result: { structuredContent: { counted: 12 } } });
    // The stream was read to its end, so a client must not resume it.
    const again = await fetch(`${green.origin}/mcp`, {
      headers: { ...JSON_HEADERS, ...headers, "last-event-id": after.at(-1)?.id ?? "" },
    });
    expect(again.status).toBe(204);
  });

  test("event ids that name unknown instances do not make a living instance look dead", async () => {
    const headers = await session();
    const stream = await call(blue, "count", { to: 30 }, headers);
    const before = await stream.until((e) => steps([e])[0] === 1);
    await stream.cut();
    const resumed = await resume(green, headers, before.at(-1)?.id);
    for (let i = 0; i < 40; i++) {
      const last = `0~${String(i).padStart(16, "0")}~~${randomUUID()}`;
      const answer = await fetch(`${green.origin}/mcp`, {
        headers: { ...JSON_HEADERS, ...headers, "last-event-id": last },
      });
      expect(answer.status).toBe(204);
    }
    const after = await resumed.rest();
    expect(after.at(-1)?.message).toMatchObject({ result: { structuredContent: { counted: 30 } } });
  });

  test("a question of one instance to the client is answered through the other", async () => {
    const headers = await session({ elicitation: {} });
    const stream = await call(blue, "test_elicitation", { message: "Who?" }, headers);
    const question = (await stream.until((e) => e.message?.method === "elicitation/create")).at(-1)?.message;
    const result = { action: "accept", content: { username: "ada", email: "a@example.com" } };
    const sent = await rpc(green.origin, { jsonrpc: "2.0", id: question?.id, result }, headers);
    expect(sent.status).toBe(202);
    const answer = (await stream.until(isAnswer)).at(-1);
    expect(JSON.stringify(answer)).toContain("ada");
  });

  test("a call of one instance is cancelled through the other", async () => {
    const headers = await session();
    const stream = await call(blue, "count", { to: 1_000 }, headers);
    await stream.until((e) => steps([e])[0] === 2);
    const cancel = { jsonrpc: "2.0", method: "notifications/cancelled", params: { requestId: 7 } };
    expect((await rpc(green.origin, cancel, headers)).status).toBe(202);
    // The stream ends, since no answer is due.
    expect((await stream.rest()).some(isAnswer)).toBe(false);
  });

  test("a subscription that was made at one instance is notified through the other", async () => {
    const headers = await session();
    const uri = "repo://sample/README.md";
    const subscribe = { jsonrpc: "2.0", id: 4, method: "resources/subscribe", params: { uri } };
    expect(await (await rpc(blue.origin, subscribe, headers)).text()).toContain('"result":{}');
    const stream = await resume(green, headers);
    await writeFile(
      join(folder.path, "workspace", "sample", "README.md"),
      `changed ${Math.random()} ${"x".repeat(50)}`,
    );
    const notification = (await stream.until((e) => e.message !== undefined)).at(-1)?.message;
    expect(notification).toMatchObject({ method: "notifications/resources/updated", params: { uri } });
    await stream.cut();
  });

  test("a later notification stream replaces an earlier one at either instance; of many simultaneous ones, one stays", async () => {
    const headers = await session();
    const first = await resume(blue, headers);
    const second = await resume(blue, headers);
    expect(await first.rest()).toHaveLength(1);
    const third = await resume(green, headers);
    expect(await second.rest()).toHaveLength(1);
    const many = await Promise.all([blue, green, blue, green, blue, green].map((at) => resume(at, headers)));
    expect(await third.rest()).toHaveLength(1);
    let over = 0;
    for (const stream of many)
      void stream.rest().then(
        () => over++,
        () => undefined,
      );
    await eventually(() => over === many.length - 1, "all but one to end");
    const uri = "repo://sample/src/main.ts";
    const subscribe = { jsonrpc: "2.0", id: 4, method: "resources/subscribe", params: { uri } };
    await (await rpc(green.origin, subscribe, headers)).text();
    expect(over).toBe(many.length - 1);
    await Promise.all(many.map((stream) => stream.cut()));
  });

  test("subscriptions that were made at both instances at once are all notified", async () => {
    const headers = await session();
    const stream = await resume(green, headers);
    const paths = Array.from({ length: 20 }, (_, i) => `s/${i}.txt`);
    const file = (path: string) => join(folder.path, "workspace", "sample", path);
    await mkdir(file("s"), { recursive: true });
    for (const path of paths) await writeFile(file(path), "1");
    await Promise.all(
      paths.map(async (path, i) => {
        const params = { uri: `repo://sample/${path}` };
        const body = { jsonrpc: "2.0", id: 100 + i, method: "resources/subscribe", params };
        const answer = await rpc((i % 2 ? blue : green).origin, body, headers);
        expect(await answer.text()).toContain('"result":{}');
      }),
    );
    for (const path of paths) await writeFile(file(path), "changed");
    const updated = new Set<unknown>();
    await stream.until((e) => {
      if (e.message?.method === "notifications/resources/updated") updated.add(e.message.params?.uri);
      return updated.size === paths.length;
    });
    expect(updated.size).toBe(paths.length);
    await stream.cut();
  });

  test("a client of an instance that was killed in a call reads every stored event, then an error, and keeps its session", async () => {
    const headers = await session();
    const first = await call(blue, "count", { to: 1_000 }, headers);
    const before = await first.until((e) => steps([e])[0] === 2);
    await first.cut();
    const second = await resume(green, headers, before.at(-1)?.id);
    const between = await second.until((e) => steps([e])[0] === 4);
    await blue.end("SIGKILL");
    const after = await second.rest();
    expect(steps([...before, ...between]).slice(0, 4)).toEqual([1, 2, 3, 4]);
    expect(after.at(-1)?.message).toMatchObject({
      id: 7,
      error: { message: expect.stringContaining("lost") },
    });
    // A client that resumes from an earlier event gets the same events again.
    const again = await (await resume(green, headers, before[0]?.id)).rest();
    expect(steps(again).slice(0, 4)).toEqual([1, 2, 3, 4]);
    expect(again.at(-1)?.message).toEqual(after.at(-1)?.message);
    expect(await (await rpc(green.origin, LIST, headers)).text()).toContain('"count"');
  });

  test("an instance that drains sends the client of a long call to the other instance, where the call ends", async () => {
    const headers = await session();
    const first = await call(blue, "count", { to: 1_000 }, headers);
    const before = await first.until((e) => steps([e])[0] === 2);
    const ending = blue.end("SIGTERM");
    const rest = await first.rest();
    await ending;
    expect(rest.some(isAnswer)).toBe(false);
    const after = await (await resume(green, headers, (rest.at(-1) ?? before.at(-1))?.id)).rest();
    expect(after.at(-1)?.message).toMatchObject({
      id: 7,
      error: { message: expect.stringContaining("lost") },
    });
    expect(await (await rpc(green.origin, LIST, headers)).text()).toContain('"count"');
  });
}

/** Sends a request until it gets the status, since messages between instances take a moment. */
async function eventuallyStatus(send: () => Promise<Response>, status: number): Promise<void> {
  let last = 0;
  let busy = false;
  await eventually(() => {
    if (!busy) {
      busy = true;
      send().then(async (response) => {
        await response.text();
        last = response.status;
        busy = false;
      });
    }
    return last === status;
  }, `status ${status}`);
}
