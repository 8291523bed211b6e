import { describe, expect, test } from "@jest/globals";
import { LiveSessions } from "../../../server/mcp/live-sessions.ts";
import type { Session } from "../../../server/mcp/session.ts";

function session(id: string, closed: string[] = [], principal = "p"): Session {
  return {
    id,
    principal: { id: principal },
    server: { close: async () => void closed.push(id) },
  } as unknown as Session;
}

describe("LiveSessions", () => {
  test("evicts sessions that were idle for too long, but none that is held or working", () => {
    let now = 0;
    const closed: string[] = [];
    const busy = new Set(["working"]);
    const live = new LiveSessions({ idleMs: 1_000, now: () => now, busy: (id) => busy.has(id) });
    for (const id of ["idle", "working", "held", "used"]) live.put(session(id, closed));
    const release = live.hold("held");
    now = 900;
    live.get("used");
    now = 1_500;
    expect(live.sweep(900).map((s) => s.id)).toEqual(["held", "used"]);
    expect(closed).toEqual(["idle"]);
    expect(live.get("idle")).toBeUndefined();
    release();
    release();
    busy.clear();
    now = 2_600;
    live.sweep();
    expect(closed.toSorted()).toEqual(["held", "idle", "used", "working"]);
  });

  test("reports the age of the oldest session since it was opened, not since its last use", () => {
    let now = 0;
    const live = new LiveSessions({ now: () => now });
    expect(live.oldestMs).toBeUndefined();
    live.put(session("a"));
    now = 500;
    live.put(session("b"));
    live.get("a");
    expect(live.oldestMs).toBe(500);
    live.delete("a");
    expect(live.oldestMs).toBe(0);
  });

  test("when full, evicts the least recently used session, or refuses a new one if all are held", async () => {
    const closed: string[] = [];
    const live = new LiveSessions({ max: 2 });
    live.put(session("a", closed));
    live.put(session("b", closed));
    live.get("a");
    live.put(session("c", closed));
    expect(closed).toEqual(["b"]);
    live.hold("a");
    live.hold("c");
    expect(() => live.put(session("d", closed))).toThrow(/All 2 sessions that fit into memory are in use/);
    expect(live.size).toBe(2);
    await live.close();
    expect(closed.sort()).toEqual(["a", "b", "c"]);
  });

  test("evicts a session of the caller that is at its limit, and otherwise of the caller with the most sessions", () => {
    const closed: string[] = [];
    const live = new LiveSessions({ max: 5, maxPerPrincipal: 3 });
    live.put(session("modest", closed, "modest"));
    for (const id of ["a", "b", "c", "d"]) live.put(session(id, closed, "greedy"));
    expect(closed).toEqual(["a"]);
    live.put(session("e", closed, "third"));
    live.put(session("f", closed, "third"));
    expect(closed).toEqual(["a", "b"]);
    expect(live.get("modest")).toBeDefined();
  });

  test("refuses a new session of a principal whose sessions are all in use, and accepts those of others", () => {
    const live = new LiveSessions({ max: 10, maxPerPrincipal: 2 });
    for (const id of ["a", "b"]) {
      live.put(session(id, [], "greedy"));
      live.hold(id);
    }
    expect(() => live.put(session("c", [], "greedy"))).toThrow(
      "Too many sessions: this token has 2 in use, which is its maximum. End some with DELETE, or ask the operator to raise LIVE_SESSIONS_PER_TOKEN.",
    );
    live.put(session("d", [], "modest"));
    live.delete("a");
    live.put(session("c", [], "greedy"));
    expect(live.size).toBe(3);
  });
});
