import type { IncomingMessage } from "node:http";
import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { parseForwarded, settleForwarding } from "../../../server/http/forwarded.ts";
import { isLocalCaller } from "../../../server/http/peer.ts";
import { eventually, startApp, temporaryFolder } from "../support.ts";

const raw = (remoteAddress: string | undefined, headers: Record<string, string>) =>
  ({ headers: { ...headers }, socket: { remoteAddress } }) as unknown as IncomingMessage;

describe("parseForwarded", () => {
  test.each([
    ["for=192.0.2.43", [{ for: "192.0.2.43" }]],
    ['For="[2001:db8:cafe::17]:4711"', [{ for: "2001:db8:cafe::17" }]],
    [
      "for=192.0.2.60;proto=HTTPS;by=203.0.113.43;host=mcp.example.com",
      [{ for: "192.0.2.60", proto: "https", host: "mcp.example.com" }],
    ],
    ['for=192.0.2.43, for="198.51.100.17:80"', [{ for: "192.0.2.43" }, { for: "198.51.100.17" }]],
    ["for=unknown, for=_hidden", [{ for: "unknown" }, { for: "unknown" }]],
    ['for="a\\"b"', [{ for: "unknown" }]],
    ["", undefined],
    ["nonsense", undefined],
    ["for=1.2.3.4 for=5.6.7.8", undefined],
    ["for=192.0.2.1:80", undefined],
  ])("%s", (header, hops) => expect(parseForwarded(header)).toEqual(hops));

  test("accepts any input, and returns only addresses", () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 200 }), (header) => {
        for (const hop of parseForwarded(header) ?? []) expect(hop.for).toMatch(/^(unknown|[\d.a-f:]+)$/i);
      }),
    );
  });
});

describe("settleForwarding", () => {
  test("from the trusted hop, Forwarded becomes what Fastify reads", () => {
    const request = raw("127.0.0.1", { forwarded: "for=192.0.2.1;proto=https;host=a.example" });
    settleForwarding(request);
    expect(request.headers).toMatchObject({
      "x-forwarded-for": "192.0.2.1",
      "x-forwarded-proto": "https",
      "x-forwarded-host": "a.example",
    });
  });

  test("X-Forwarded-For takes precedence, and a malformed Forwarded is ignored", () => {
    const both = raw("::1", { forwarded: "for=192.0.2.1", "x-forwarded-for": "198.51.100.1" });
    settleForwarding(both);
    expect(both.headers["x-forwarded-for"]).toBe("198.51.100.1");
    const broken = raw(undefined, { forwarded: "for=" });
    settleForwarding(broken);
    expect(broken.headers["x-forwarded-for"]).toBeUndefined();
  });

  test("the headers of an untrusted peer are removed", () => {
    const request = raw("203.0.113.9", {
      forwarded: "for=127.0.0.1",
      "x-forwarded-for": "127.0.0.1",
      "x-forwarded-host": "evil.example",
      "x-real-ip": "127.0.0.1",
    });
    settleForwarding(request);
    expect(request.headers).toEqual({});
    expect(isLocalCaller(request)).toBe(false);
  });

  test("a request through the edge is not local", () => {
    expect(isLocalCaller(raw("127.0.0.1", {}))).toBe(true);
    expect(isLocalCaller(raw(undefined, {}))).toBe(true);
    expect(isLocalCaller(raw("127.0.0.1", { "x-forwarded-for": "127.0.0.1" }))).toBe(false);
    expect(isLocalCaller(raw("127.0.0.1", { forwarded: "for=127.0.0.1" }))).toBe(false);
  });
});

test("the log names the client that the trusted hop reports", async () => {
  const folder = await temporaryFolder();
  try {
    await using running = await startApp({ WORKSPACE_DIR: folder.path });
    await (await fetch(`${running.origin}/`, { headers: { forwarded: "for=192.0.2.7" } })).text();
    await (
      await fetch(`${running.origin}/`, { headers: { "x-forwarded-for": "127.0.0.1, 198.51.100.8" } })
    ).text();
    const lines = () => running.logs.filter((line) => line.msg === "request");
    await eventually(() => lines().length === 2, "both log lines");
    expect(lines().map((line) => line.client)).toEqual(["192.0.2.7", "198.51.100.8"]);
  } finally {
    await folder.remove();
  }
});
