import type { IncomingMessage } from "node:http";
import { describe, expect, test } from "@jest/globals";
import { allowedNames } from "../../../server/http/hosts.ts";
import { ReadinessProbe, withoutDetails } from "../../../server/http/readiness.ts";
import { requestId } from "../../../server/http/request-id.ts";

describe("requestId", () => {
  const request = (id: string | undefined, remoteAddress: string | undefined) =>
    ({ headers: { "x-request-id": id }, socket: { remoteAddress } }) as unknown as IncomingMessage;
  const uuid = /^[0-9a-f-]{36}$/;

  test.each([
    ["the edge's, on loopback", "abcdef0123456789", "127.0.0.1", /^abcdef0123456789$/],
    ["the edge's, on a unix socket", "abcdef0123456789", undefined, /^abcdef0123456789$/],
    ["a mapped loopback address", "abcdef0123456789", "::ffff:127.0.0.1", /^abcdef0123456789$/],
    ["a stranger's is replaced", "abcdef0123456789", "10.1.2.3", uuid],
    ["a short one is replaced", "abc", "127.0.0.1", uuid],
    ["one with a line break is replaced", "abcdefgh\nijk", "127.0.0.1", uuid],
    ["none: a new one", undefined, "127.0.0.1", uuid],
  ])("%s", (_, id, from, expected) => expect(requestId(request(id, from))).toMatch(expected));
});

test("the public host and loopback are allowed as hosts, and the configured origins in addition", () => {
  const { hosts, origins } = allowedNames({
    publicUrl: new URL("https://mcp.example.com"),
    allowedOrigins: ["chat.example"],
  });
  expect(hosts).toEqual(["mcp.example.com", "localhost", "127.0.0.1", "[::1]"]);
  for (const origin of ["https://mcp.example.com", "http://localhost:6274", "https://chat.example"])
    expect([origin, origins.allows(origin)]).toEqual([origin, true]);
  expect(origins.allows("https://other.example")).toBe(false);
});

describe("ReadinessProbe", () => {
  const about = () => ({ draining: false, release: "r", colour: "blue" });

  test("every check is timed and one failure makes it not ready", async () => {
    const probe = new ReadinessProbe(
      [
        { name: "good", run: async () => "fine" },
        {
          name: "bad",
          run: async () => {
            throw new Error("broken; fix it so");
          },
        },
      ],
      about,
    );
    const state = await probe.probe();
    expect(state).toMatchObject({
      ready: false,
      colour: "blue",
      checks: { good: { ok: true, detail: "fine" }, bad: { ok: false, detail: "broken; fix it so" } },
    });
    expect(state.checks.good?.ms).toBeGreaterThanOrEqual(0);
    expect(JSON.stringify(withoutDetails(state))).not.toContain("fix it");
  });

  test("a failed check that does not count is shown, but the server is ready", async () => {
    const run = async () => {
      throw new Error("away");
    };
    const probe = new ReadinessProbe([{ name: "store", counts: false, run }], about);
    expect(await probe.probe()).toMatchObject({
      ready: true,
      checks: { store: { ok: false, counts: false, detail: "away" } },
    });
  });

  test("concurrent probes share one run of the checks; a drain shows at once", async () => {
    let runs = 0;
    let draining = false;
    const probe = new ReadinessProbe([{ name: "n", run: async () => `${++runs}` }], () => ({
      ...about(),
      draining,
    }));
    const states = await Promise.all([probe.probe(), probe.probe(), probe.probe()]);
    expect(states.map((s) => s.ready)).toEqual([true, true, true]);
    expect(runs).toBe(1);
    draining = true;
    expect((await probe.probe()).ready).toBe(false);
  });
});
