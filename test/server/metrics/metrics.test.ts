import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { writeHour } from "../status/support.ts";
import {
  eventually,
  makeRepository,
  openSession,
  readUntil,
  rpc,
  startApp,
  temporaryFolder,
} from "../support.ts";

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
beforeAll(async () => {
  folder = await temporaryFolder();
  await makeRepository(join(folder.path, "sample"));
});
afterAll(() => folder.remove());

/** The samples of the text format: `name{labels}` -> value. */
function parse(text: string): Map<string, number> {
  const samples = new Map<string, number>();
  for (const line of text.split("\n")) {
    if (line === "" || line.startsWith("#")) continue;
    const found = /^([a-z_]+(?:\{.*\})?) (\S+)$/.exec(line);
    if (!found) throw new Error(`not a sample: ${line}`);
    samples.set(found[1] ?? "", Number(found[2]));
  }
  return samples;
}

describe("/metrics", () => {
  test("counts requests, streams, sessions and tool calls; shows the process", async () => {
    await using running = await startApp({ WORKSPACE_DIR: folder.path, RELEASE: "abc", COLOUR: "blue" });
    const { origin, app } = running;
    const scrape = async () => {
      const response = await fetch(`${origin}/metrics`);
      expect(response.headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
      return parse(await response.text());
    };
    const session = await openSession(origin);
    const call = (name: string, args: unknown) =>
      rpc(
        origin,
        { jsonrpc: "2.0", id: 2, method: "tools/call", params: { name, arguments: args } },
        { "mcp-session-id": session, "mcp-protocol-version": "2025-11-25", "x-http-version": "HTTP/3.0" },
      ).then((response) => response.text());
    await call("search_text", { query: "needle" });
    await call("read_file", { path: "missing" });
    await (await fetch(`${origin}/demo/stream?n=3&ms=20`)).text();
    await (
      await fetch(`${origin}/no/such/${"x".repeat(50)}`, { headers: { "mcp-protocol-version": "junk" } })
    ).text();
    const standing = await fetch(`${origin}/demo/stream?ms=60000`);

    await eventually(() => app.streams.size === 1 && app.lifecycle.inFlight === 1, "all but one to end");
    const open = await scrape();
    expect(open.get('mcp_edge_streams_open{route="/demo/stream"}')).toBe(1);
    await readUntil(standing, (text) => text.includes("data: "));
    await eventually(() => app.lifecycle.inFlight === 0, "the stream to end");

    const samples = await scrape();
    const at = (name: string) => samples.get(name);
    expect(
      at(
        'mcp_edge_http_requests_total{route="/mcp",method="POST",http="HTTP/3.0",protocol="2025-11-25",status="200"}',
      ),
    ).toBe(2);
    expect(
      at(
        'mcp_edge_http_requests_total{route="none",method="GET",http="HTTP/1.1",protocol="other",status="404"}',
      ),
    ).toBe(1);
    expect(at('mcp_edge_http_request_duration_seconds_count{route="/mcp",method="POST"}')).toBe(4);
    expect(at('mcp_edge_tool_calls_total{tool="search_text",outcome="ok"}')).toBe(1);
    expect(at('mcp_edge_tool_calls_total{tool="read_file",outcome="refused"}')).toBe(1);
    expect(at('mcp_edge_tool_duration_seconds_count{tool="search_text"}')).toBe(1);
    expect(at('mcp_edge_stream_disconnects_total{route="/demo/stream",reason="completed"}')).toBe(1);
    expect(at('mcp_edge_stream_disconnects_total{route="/demo/stream",reason="client_closed"}')).toBe(1);
    expect(at('mcp_edge_stream_duration_seconds_count{route="/demo/stream"}')).toBe(2);
    expect(at('mcp_edge_stream_sent_bytes_total{route="/demo/stream"}')).toBeGreaterThan(100);
    // Three events 20 ms apart, and one: what a stream has at once, its opening comment and the first event, is one piece.
    expect(at('mcp_edge_stream_chunks_total{route="/demo/stream"}')).toBeGreaterThanOrEqual(4);
    expect(samples.has('mcp_edge_streams_open{route="/demo/stream"}')).toBe(false);
    expect(at("mcp_edge_sessions_open")).toBe(1);
    expect(at("mcp_edge_session_oldest_age_seconds")).toBeGreaterThan(0);
    expect(at("mcp_edge_http_requests_in_flight")).toBe(1);
    expect(at('mcp_edge_build_info{version="0.1.0",release="abc",colour="blue"}')).toBe(1);
    expect(at('nodejs_eventloop_lag_seconds{quantile="0.99"}')).toBeGreaterThanOrEqual(0);
    expect(at("process_resident_memory_bytes")).toBeGreaterThan(1e7);
    expect(at("process_cpu_seconds_total")).toBeGreaterThan(0);
  });

  test("shows the life of the certificate that the machine reports, and nothing of one that it does not", async () => {
    const { MACHINE_REPORT } = await writeHour(join(folder.path, "status"));
    await using running = await startApp({ WORKSPACE_DIR: folder.path, MACHINE_REPORT });
    const lines = async (origin: string) =>
      (await (await fetch(`${origin}/metrics`)).text())
        .split("\n")
        .filter((line) => line.startsWith("mcp_edge_certificate"));
    await running.app.start();
    const samples = parse((await lines(running.origin)).join("\n"));
    expect(samples.get("mcp_edge_certificate_life_ratio")).toBeCloseTo(60.5 / 90.5, 2);
    expect(samples.get("mcp_edge_certificate_expiry_timestamp_seconds")).toBeGreaterThan(Date.now() / 1_000);
    expect(samples.get("mcp_edge_certificate_renewal_failed")).toBe(0);
    await using without = await startApp({ WORKSPACE_DIR: folder.path });
    expect(await lines(without.origin)).toEqual([]);
  });

  test("clients cannot create time series: labels have fixed sets of values", async () => {
    await using running = await startApp({ WORKSPACE_DIR: folder.path });
    for (let n = 0; n < 20; n++)
      await (
        await fetch(`${running.origin}/made-up-${n}`, {
          method: "REPORT",
          headers: { "x-http-version": `HTTP/${n}`, "mcp-protocol-version": `v${n}` },
        })
      ).text();
    await eventually(() => running.app.lifecycle.inFlight === 0, "the requests to end");
    const text = await (await fetch(`${running.origin}/metrics`)).text();
    const requests = text.split("\n").filter((line) => line.startsWith("mcp_edge_http_requests_total{"));
    expect(requests).toHaveLength(1);
    expect(text).not.toMatch(/^mcp_edge_session_oldest_age_seconds /m);
    expect(requests[0]).toMatch(/ 20$/);
    expect(text).not.toContain("made-up");
  });
});
