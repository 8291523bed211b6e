import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { continueTrace, formatTrace } from "../../../server/http/trace.ts";
import { eventually, startApp, temporaryFolder } from "../support.ts";

const TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
const SPAN = "00f067aa0ba902b7";

describe("continueTrace", () => {
  test("continues the caller's trace with a new span", () => {
    const trace = continueTrace(`00-${TRACE}-${SPAN}-01`);
    expect(trace).toMatchObject({ traceId: TRACE, parentId: SPAN, flags: "01" });
    expect(trace.spanId).not.toBe(SPAN);
    expect(formatTrace(trace)).toMatch(new RegExp(`^00-${TRACE}-[0-9a-f]{16}-01$`));
  });

  test.each([
    ["a later version with more in it", `cc-${TRACE}-${SPAN}-01-what.comes`],
    ["flags that are not known are dropped", `00-${TRACE}-${SPAN}-03`],
  ])("%s", (_, header) => expect(continueTrace(header)).toMatchObject({ traceId: TRACE, flags: "01" }));

  test.each([
    ["none", undefined],
    ["empty", ""],
    ["version ff", `ff-${TRACE}-${SPAN}-01`],
    ["version 00 with more in it", `00-${TRACE}-${SPAN}-01-more`],
    ["capital letters", `00-${TRACE.toUpperCase()}-${SPAN}-01`],
    ["a trace of zeros", `00-${"0".repeat(32)}-${SPAN}-01`],
    ["a span of zeros", `00-${TRACE}-${"0".repeat(16)}-01`],
    ["too short", `00-${TRACE.slice(1)}-${SPAN}-01`],
  ])("starts a new trace: %s", (_, header) => {
    const trace = continueTrace(header);
    expect(trace.traceId).toMatch(/^[0-9a-f]{32}$/);
    expect(trace).toMatchObject({ parentId: undefined, flags: "00" });
    expect(trace.traceId).not.toBe(TRACE);
  });

  test("the trace is well-formed whatever the client sends", () => {
    fc.assert(
      fc.property(fc.string(), (header) => {
        expect(formatTrace(continueTrace(header))).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-0[01]$/);
      }),
    );
  });
});

test("the trace is in the response and on every log line of the request and its stream", async () => {
  const folder = await temporaryFolder();
  try {
    await using running = await startApp({ WORKSPACE_DIR: folder.path });
    const response = await fetch(`${running.origin}/demo/stream?n=1`, {
      headers: { traceparent: `00-${TRACE}-${SPAN}-01` },
    });
    await response.text();
    expect(response.headers.get("traceresponse")).toMatch(new RegExp(`^00-${TRACE}-[0-9a-f]{16}-01$`));
    const lines = () => running.logs.filter((line) => line.msg === "request" || line.msg === "stream");
    await eventually(() => lines().length === 2, "both log lines");
    expect(
      lines()
        .map((line) => line.msg)
        .sort(),
    ).toEqual(["request", "stream"]);
    for (const line of lines()) expect(line).toMatchObject({ trace_id: TRACE });
  } finally {
    await folder.remove();
  }
});
