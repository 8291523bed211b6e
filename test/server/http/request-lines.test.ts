import { expect, test } from "@jest/globals";
import fc from "fast-check";
import Fastify from "fastify";
import { serverLog } from "../../../server/http/logging.ts";
import type { RequestLine } from "../../../server/http/request-lines.ts";

const text = fc.oneof(
  fc.string({ unit: "binary", maxLength: 20 }),
  fc.constantFrom("/mcp", "203.0.113.7", 'a"b', "a\\b"),
);
const line: fc.Arbitrary<RequestLine> = fc.record({
  level: fc.constantFrom("debug", "info"),
  requestId: text,
  traceId: fc.stringMatching(/^[0-9a-f]{32}$/),
  method: fc.constantFrom("GET", "POST"),
  path: text,
  status: fc.integer({ min: 200, max: 599 }),
  durationMs: fc.nat(),
  client: text,
  principal: fc.option(text, { nil: undefined }),
  aborted: fc.boolean(),
});

const withoutTime = (lines: string[]) => lines.map((one) => one.replace(/"time":"[^"]*"/, ""));

test.each([
  { logLevel: "info", dev: false },
  { logLevel: "trace", dev: true },
  { logLevel: "warn", dev: false },
] as const)("the line of a request is as Pino writes it: %j", async (config) => {
  const lines: string[] = [];
  const stream = { write: (one: string) => void lines.push(one) };
  const log = serverLog({ ...config, slot: "blue", release: "abc" }, stream);
  const app = Fastify({ logger: log.options });
  fc.assert(
    fc.property(line, (given) => {
      lines.length = 0;
      log.request(given);
      const own = withoutTime(lines.splice(0));
      app.log[given.level](
        {
          request_id: given.requestId,
          trace_id: given.traceId,
          method: given.method,
          path: given.path,
          status: given.status,
          duration_ms: given.durationMs,
          client: given.client,
          principal: given.principal,
          aborted: given.aborted || undefined,
        },
        "request",
      );
      expect(own).toEqual(withoutTime(lines));
    }),
  );
  await app.close();
});
