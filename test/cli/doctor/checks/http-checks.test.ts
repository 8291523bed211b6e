import { describe, expect, test } from "@jest/globals";
import { CHECKS } from "../../../../cli/doctor/checks/index.ts";
import { keepAlive } from "../../../../cli/doctor/checks/mcp/streams.ts";
import { freePort } from "../../../support/free-port.ts";
import { type Handler, mcpRoute, ROUTES, TOKEN } from "../../http3/servers/backend.ts";
import { ANSWER_MS, examine, httpServer, type Routes, tlsServer, useFixture } from "../fixture.ts";

const fixture = useFixture();

/** An answer without a body. */
const answer =
  (status: number, headers: Record<string, string> = {}, body = ""): Handler =>
  (request, response) => {
    request.resume();
    response.writeHead(status, headers);
    response.end(body);
  };

/** Runs one check against a TLS server with these routes. */
async function against(routes: Routes, id: string, options: Parameters<typeof examine>[2] = {}) {
  const server = await fixture.keep(tlsServer(fixture.certificate, routes));
  const results = await examine([id], server, { ca: fixture.authority.ca, ...options });
  return results[0];
}

describe("the clock", () => {
  const at = (seconds: number) => ({
    "/": (...[request, response]: Parameters<Handler>) => {
      request.resume();
      response.writeHead(200, { date: new Date(Date.now() + seconds * 1_000).toUTCString() }).end();
    },
  });

  test.each([
    [0, true, "the same as this host's"],
    [20, true, "s ahead of this host's"],
    [100, false, "s ahead of this host's"],
    [-100, false, "s behind this host's"],
  ])("%d s from ours", async (seconds, ok, got) => {
    expect(await against(at(seconds), "clock")).toMatchObject({ ok, got: expect.stringContaining(got) });
  });

  test("fails without a Date header that says a time", async () => {
    expect(await against({ "/": answer(200, { date: "soon" }) }, "clock")).toMatchObject({
      ok: false,
      got: "Date: soon",
    });
  });
});

describe("Alt-Svc", () => {
  test("passes for the right port", async () => {
    const server = await fixture.keep(
      tlsServer(fixture.certificate, {
        "/": (_request, response) =>
          void response.writeHead(200, { "alt-svc": `h3=":${server.port}"; ma=60` }).end(),
      }),
    );
    const [result] = await examine(["alt-svc"], server, { ca: fixture.authority.ca });
    expect(result).toMatchObject({ ok: true, got: `h3=":${server.port}"; ma=60` });
  });

  test.each([
    [undefined, "no Alt-Svc header"],
    ['h3=":9"; ma=60', "not this host's port"],
    ["clear", "does not name h3"],
    ['h2=":443"', "does not name h3"],
  ])("%s", async (field, got) => {
    const result = await against(
      { "/": answer(200, field === undefined ? {} : { "alt-svc": field }) },
      "alt-svc",
    );
    expect(result).toMatchObject({ ok: false, got: expect.stringContaining(got) });
    expect(result?.fix).toContain("add_header Alt-Svc");
  });

  test("fails for another host and for ma=0", async () => {
    const routes: Routes = {};
    const server = await fixture.keep(tlsServer(fixture.certificate, routes));
    for (const [field, got] of [
      [`h3="other.test:${server.port}"`, "not this host's port"],
      [`h3=":${server.port}"; ma=0`, "ma=0"],
    ] as const) {
      routes["/"] = answer(200, { "alt-svc": field });
      const [result] = await examine(["alt-svc"], server, { ca: fixture.authority.ca });
      expect(result).toMatchObject({ ok: false, got: expect.stringContaining(got) });
    }
  });
});

describe("port 80", () => {
  const plain = async (routes: Routes, id: string) => {
    const server = await fixture.keep(httpServer(routes));
    const [, result] = await examine(["dns", id], { port: 443 }, { httpPort: server.port });
    return result;
  };

  test("redirects with 308 to the same path", async () => {
    const good = await plain(
      { "*": answer(308, { location: "https://edge.test/doctor?redirect=1" }) },
      "redirect",
    );
    expect(good).toMatchObject({ ok: true, got: "127.0.0.1: 308 to https://edge.test" });
  });

  test.each([
    ["301", answer(301, { location: "https://edge.test/doctor?redirect=1" }), "status 301"],
    [
      "to somewhere else",
      answer(308, { location: "https://edge.test/" }),
      "308 to https://edge.test/ instead of",
    ],
    ["no redirect", answer(200), "status 200 (no Location) instead of 308"],
  ])("%s", async (_what, handler, got) => {
    const result = await plain({ "*": handler }, "redirect");
    expect(result).toMatchObject({ ok: false, got: expect.stringContaining(got) });
    expect(result?.fix).toContain("return 308 https://edge.test$request_uri");
  });

  test("serves the ACME path without a redirect", async () => {
    const good = await plain({}, "acme");
    expect(good).toMatchObject({ ok: true, got: expect.stringContaining("404 from") });
    const moved = await plain({ "*": answer(308, { location: "https://edge.test/x" }) }, "acme");
    expect(moved).toMatchObject({
      ok: false,
      got: "127.0.0.1: status 308 to https://edge.test/x instead of 404",
    });
    expect(moved?.fix).toContain("location ^~ /.well-known/acme-challenge/");
  });

  test("fails if no server listens", async () => {
    const results = await examine(["dns", "redirect", "acme"], { port: 443 }, { httpPort: await freePort() });
    for (const result of results.slice(1))
      expect(result).toMatchObject({ ok: false, got: expect.stringContaining("nothing listens") });
  });
});

describe("/readyz", () => {
  const json = { "content-type": "application/json" };

  test("passes for a ready server", async () => {
    const result = await against(ROUTES, "readyz");
    expect(result).toMatchObject({ ok: true, got: "ready, release 0123456789ab (blue)" });
  });

  test.each([
    [
      503,
      '{"ready":false,"checks":{"workspace":{"ok":false},"git":{"ok":true}}}',
      "status 503, not ready: workspace",
    ],
    [503, '{"ready":false,"draining":true}', "status 503, not ready: it is shutting down"],
    [200, "<html>", "status 200, not ready"],
    [404, "", "status 404, not ready"],
  ])("%d %s", async (status, body, got) => {
    const result = await against({ "/readyz": answer(status, json, body) }, "readyz");
    expect(result).toMatchObject({ ok: false, got });
    expect(result?.fix).toContain("mcp-edge-deploy status");
  });
});

describe("event streams", () => {
  test("pass with the time to the first byte", async () => {
    const result = await against(ROUTES, "sse-http2");
    expect(result).toMatchObject({ ok: true, got: expect.stringMatching(/^first byte after \d+ ms$/) });
  });

  test("fail for a buffered stream, for another response and for an empty one", async () => {
    const stream = { "content-type": "text/event-stream" };
    const held = await against(
      { "/demo/stream": (_request, response) => void response.writeHead(200, stream).write("") },
      "sse-http2",
      { timeoutMs: 300 },
    );
    expect(held).toMatchObject({ ok: false, got: "no answer within 0.3 s" });
    expect(held?.fix).toContain("proxy_buffering off");
    const html = await against(
      { "/demo/stream": answer(200, { "content-type": "text/html" }, "x") },
      "sse-http2",
    );
    expect(html).toMatchObject({ ok: false, got: "status 200, text/html instead of text/event-stream" });
    const empty = await against({ "/demo/stream": answer(200, stream) }, "sse-http2");
    expect(empty).toMatchObject({ ok: false, got: "the stream ended without a byte" });
  });

  test("pass with keep-alive comments", async () => {
    const server = await fixture.keep(tlsServer(fixture.certificate, ROUTES));
    const [good] = await examine([], server, {
      ca: fixture.authority.ca,
      checks: [keepAlive("http2", ANSWER_MS)],
    });
    expect(good).toMatchObject({ ok: true, got: expect.stringMatching(/^after \d+\.\d s$/) });

    const silent: Handler = (_request, response) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.write(": open\n\ndata: 1\n\n");
    };
    const quiet = await fixture.keep(tlsServer(fixture.certificate, { "/demo/stream": silent }));
    const [missing] = await examine([], quiet, {
      ca: fixture.authority.ca,
      checks: [keepAlive("http2", 400)],
    });
    expect(missing).toMatchObject({ ok: false, got: "no keep-alive comment within 0.4 s" });
    expect(missing?.fix).toContain("proxy_read_timeout");

    const short = await fixture.keep(
      tlsServer(fixture.certificate, {
        "/demo/stream": answer(200, { "content-type": "text/event-stream" }, ": open\n\n"),
      }),
    );
    const [ended] = await examine([], short, {
      ca: fixture.authority.ca,
      checks: [keepAlive("http2", ANSWER_MS)],
    });
    expect(ended).toMatchObject({ ok: false, got: "the stream ended before a keep-alive came" });
  });

  test("have a real time limit of one second more than the server's 15 s", () => {
    const { limitMs, tried } = CHECKS.find(({ id }) => id === "keep-alive-http3") ?? {};
    expect(limitMs).toBeGreaterThan(16_000);
    expect(tried?.({ target: { origin: "https://e" } } as never)).toContain("within 16 s");
  });
});

describe("401 without a token", () => {
  test("passes with a plain challenge", async () => {
    const result = await against(ROUTES, "unauthorized");
    expect(result).toMatchObject({ ok: true, got: "401, WWW-Authenticate: Bearer" });
  });

  test.each([
    [answer(200), "status 200: everybody may call the tools"],
    [answer(403), "status 403 instead of 401"],
    [answer(502), "HTTP/1.1 works, but the answer is 502"],
    [answer(401), "401 with no WWW-Authenticate"],
    [answer(401, { "www-authenticate": "Basic" }), "401 with WWW-Authenticate: Basic"],
    [answer(401, { "www-authenticate": 'Bearer resource_metadata="https://x"' }), "resource_metadata"],
  ])("%#", async (handler, got) => {
    const result = await against({ "/mcp": handler }, "unauthorized", { auth: "token" });
    expect(result).toMatchObject({ ok: false, got: expect.stringContaining(got), fix: expect.any(String) });
  });

  test("passes with OAuth metadata if the setting is oauth or unknown", async () => {
    const routes = { "/mcp": answer(401, { "www-authenticate": 'Bearer resource_metadata="https://x"' }) };
    expect(await against(routes, "unauthorized", { auth: "oauth" })).toMatchObject({ ok: true });
    expect(await against(routes, "unauthorized")).toMatchObject({ ok: true });
    const hidden = await against(ROUTES, "unauthorized", { auth: "oauth" });
    expect(hidden).toMatchObject({ ok: false, got: expect.stringContaining("no resource_metadata") });
    expect(hidden?.fix).toContain("auth: oauth");
  });

  test("passes for a server that is open on purpose", async () => {
    const open = await against({ "/mcp": answer(200) }, "unauthorized", { auth: "none" });
    expect(open).toMatchObject({ ok: true, got: expect.stringContaining("open to everybody") });
    const shut = await against(ROUTES, "unauthorized", { auth: "none" });
    expect(shut).toMatchObject({ ok: false });
  });
});

describe("the token", () => {
  test("passes if it is accepted", async () => {
    expect(await against(ROUTES, "token", { token: TOKEN })).toMatchObject({ ok: true, got: "accepted" });
    expect(await against(ROUTES, "token", { auth: "none" })).toMatchObject({ ok: true, got: "none needed" });
  });

  test("fails if it is missing or wrong, without /mcp, and with a stopped server", async () => {
    const none = await against(ROUTES, "token");
    expect(none).toMatchObject({
      ok: false,
      got: "no token was given",
      fix: expect.stringContaining("MCP_EDGE_TOKEN="),
    });
    const wrong = await against(ROUTES, "token", { token: "wrong" });
    expect(wrong).toMatchObject({ ok: false, got: "status 401: unknown, expired or revoked" });
    expect(wrong?.fix).toContain("token create");
    expect(await against({}, "token", { token: TOKEN })).toMatchObject({
      ok: false,
      got: expect.stringContaining("404"),
    });
    expect(await against({ "/mcp": answer(503) }, "token", { token: TOKEN })).toMatchObject({
      ok: false,
      got: expect.stringContaining("503"),
    });
  });

  test("is not in the report, even if the server returns it", async () => {
    const echo: Handler = (request, response) => {
      request.resume();
      response.writeHead(401, { "www-authenticate": `Basic ${TOKEN}` }).end();
    };
    const result = await against({ "/mcp": echo }, "unauthorized", { token: TOKEN });
    expect(result?.got).toBe("401 with WWW-Authenticate: Basic [token]");
  });
});

describe("MCP clients", () => {
  test.each([
    ["mcp-2025", "2025-11-25, stand-in 1.2.3, 2 tools, list_files: 3 files"],
    ["mcp-2026", "2026-07-28, stand-in 1.2.3, 2 tools, list_files: 3 files"],
  ])("%s passes", async (id, got) => {
    expect(await against(ROUTES, id, { token: TOKEN })).toMatchObject({ ok: true, got });
  });

  test.each(["mcp-2025", "mcp-2026"])("%s reports the problem", async (id) => {
    const refused = await against(ROUTES, id, { token: "wrong" });
    expect(refused).toMatchObject({ ok: false, fix: expect.stringContaining("journalctl") });
    const html = await against({ "/mcp": answer(200, { "content-type": "text/html" }, "<html>") }, id, {
      token: TOKEN,
    });
    expect(html).toMatchObject({ ok: false });
    const silent = await against({ "/mcp": () => undefined }, id, { token: TOKEN, timeoutMs: 400 });
    expect(silent).toMatchObject({ ok: false, got: "no answer within 0.4 s" });
  });

  test("mcp-2026 alone fails for a server that refuses 2026-07-28", async () => {
    const old: Handler = (request, response) =>
      request.headers["mcp-protocol-version"] === "2026-07-28"
        ? answer(400)(request, response)
        : mcpRoute(request, response);
    expect(await against({ "/mcp": old }, "mcp-2025", { token: TOKEN })).toMatchObject({ ok: true });
    expect(await against({ "/mcp": old }, "mcp-2026", { token: TOKEN })).toMatchObject({ ok: false });
  });
});
