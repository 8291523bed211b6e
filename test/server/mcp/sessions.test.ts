import { describe, expect, test } from "@jest/globals";
import { MemorySessions, type Session } from "../../../server/mcp/sessions.ts";

function session(id: string, closed: string[] = []): Session {
  return { id, principal: "p", server: { close: async () => void closed.push(id) } } as unknown as Session;
}

describe("MemorySessions", () => {
  test("evicts what was idle for too long, never what is held", async () => {
    let now = 0;
    const closed: string[] = [];
    const store = new MemorySessions({ idleMs: 1_000, now: () => now });
    await store.put(session("idle", closed));
    await store.put(session("held", closed));
    await store.put(session("used", closed));
    const release = store.hold("held");
    now = 900;
    await store.get("used");
    now = 1_500;
    store.sweep();
    expect(closed).toEqual(["idle"]);
    expect(await store.get("idle")).toBeUndefined();
    release();
    release();
    now = 2_600;
    store.sweep();
    expect(closed).toEqual(["idle", "used", "held"]);
    await store.close();
  });

  test("when full, the least recently used gives way; when all are held, nobody new comes in", async () => {
    const closed: string[] = [];
    const store = new MemorySessions({ max: 2 });
    await store.put(session("a", closed));
    await store.put(session("b", closed));
    await store.get("a");
    expect(await store.put(session("c", closed))).toBe(true);
    expect(closed).toEqual(["b"]);
    store.hold("a");
    store.hold("c");
    expect(await store.put(session("d", closed))).toBe(false);
    expect(store.size).toBe(2);
    await store.close();
    expect(closed.sort()).toEqual(["a", "b", "c"]);
  });
});
