import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import * as z from "zod";
import { ToolError } from "../../../server/tool-error.ts";
import { TOOLS } from "../../../server/tools/index.ts";
import { defineTool } from "../../../server/tools/tool.ts";
import {
  JSON_HEADERS,
  makeRepository,
  openSession,
  type RunningApp,
  startApp,
  temporaryFolder,
} from "../support.ts";
import { comparable, NEVER_LATE } from "./comparable.ts";

/** A tool that answers in every way that a tool can. */
const probe = defineTool({
  name: "probe",
  title: "Probe",
  description: "Answers as it is told",
  scope: "code:read",
  input: z.object({
    how: z.enum(["ok", "refuse", "fail", "misfit", "report"]).default("ok"),
    text: z.string().max(50).default(""),
    n: z.int().min(0).optional(),
  }),
  output: z.object({ text: z.string(), n: z.number().nullable() }),
  run: async ({ how, text, n }, { log, progress }) => {
    if (how === "report") {
      log?.("warning", `log: ${text}`);
      progress?.(1, 2, text);
    }
    if (how === "refuse") throw new ToolError(`no: ${text}`);
    if (how === "fail") throw new Error("broken");
    return { text: how === "misfit" ? (7 as unknown as string) : text, n: n ?? null };
  },
});

/** A tool with a long answer. */
const long = defineTool({
  name: "long",
  title: "Long",
  description: "Repeats a text",
  scope: "code:read",
  input: z.object({ text: z.string() }),
  output: z.object({ text: z.string() }),
  run: async ({ text }) => ({ text: text.repeat(10_000) }),
});

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
/** The same server, with and without direct calls. */
let servers: { direct: RunningApp; sdk: RunningApp };
let sessions: { direct: string; sdk: string };

beforeAll(async () => {
  folder = await temporaryFolder();
  await makeRepository(join(folder.path, "workspace", "sample"));
  const env = { WORKSPACE_DIR: join(folder.path, "workspace"), RATE_LIMIT_ADDRESS: "0", LOG_LEVEL: "error" };
  const options = { tools: [...TOOLS, probe, long], streams: NEVER_LATE };
  servers = {
    direct: await startApp(env, options),
    sdk: await startApp({ ...env, DIRECT_CALLS: "no" }, options),
  };
  sessions = {
    direct: await openSession(servers.direct.origin),
    sdk: await openSession(servers.sdk.origin),
  };
});
afterAll(async () => {
  await servers.direct.app.close();
  await servers.sdk.app.close();
  await folder.remove();
});

interface Asked {
  readonly body: unknown;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly session: boolean;
}

/** Status, headers and JSON of the answer by one of the servers. */
async function answer(which: "direct" | "sdk", { body, headers, session }: Asked) {
  const given = { ...JSON_HEADERS, ...headers, ...(session ? { "mcp-session-id": sessions[which] } : {}) };
  const sent = Object.entries(given).filter((entry): entry is [string, string] => entry[1] !== undefined);
  const response = await fetch(`${servers[which].origin}/mcp`, {
    method: "POST",
    headers: sent,
    body: JSON.stringify(body),
  });
  return comparable(response);
}

async function same(asked: Asked): Promise<void> {
  const [direct, sdk] = await Promise.all([answer("direct", asked), answer("sdk", asked)]);
  expect(direct).toEqual(sdk);
}

const VERSION = "2026-07-28";
const ENVELOPE = {
  "io.modelcontextprotocol/protocolVersion": VERSION,
  "io.modelcontextprotocol/clientInfo": { name: "t", version: "1" },
  "io.modelcontextprotocol/clientCapabilities": {},
};

/** Mostly well-formed, with a fault now and then. */
const sometimes = <T, U>(usual: fc.Arbitrary<T>, odd: fc.Arbitrary<U>) =>
  fc.oneof({ weight: 8, arbitrary: usual as fc.Arbitrary<T | U> }, { weight: 1, arbitrary: odd });
const junk = fc.constantFrom<unknown>(null, 7, "x", [], {}, true, [1], { a: null });
const id = sometimes(
  fc.oneof(fc.string({ maxLength: 8 }), fc.nat()),
  fc.constantFrom<unknown>(null, 1.5, {}, undefined),
);
const args = sometimes(
  fc.record(
    {
      how: sometimes(fc.constantFrom("ok", "refuse", "fail", "misfit", "report"), junk),
      text: sometimes(fc.string({ maxLength: 20, unit: "grapheme" }), junk),
      n: sometimes(fc.nat({ max: 9 }), junk),
      other: junk,
    },
    { requiredKeys: [] },
  ),
  junk,
);
const meta = sometimes(
  fc.record(
    {
      progressToken: sometimes(fc.oneof(fc.string(), fc.nat()), junk),
      traceparent: sometimes(fc.constant("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"), junk),
      "vendor/key": junk,
      "io.modelcontextprotocol/related-task": fc.constantFrom({ taskId: "t" }, 7),
    },
    { requiredKeys: [] },
  ),
  junk,
);
const params = (withMeta: fc.Arbitrary<unknown>) =>
  sometimes(
    fc.record(
      {
        name: sometimes(fc.constant("probe"), fc.constantFrom<unknown>("nothing", 7, null, "list_repos")),
        arguments: args,
        _meta: withMeta,
        cursor: fc.constant("c"),
        extra: junk,
      },
      { requiredKeys: ["name"] },
    ),
    junk,
  );
const method = sometimes(
  fc.constant("tools/call"),
  fc.constantFrom<unknown>(
    "tools/list",
    "prompts/list",
    "resources/templates/list",
    "server/discover",
    "ping",
    "nothing/known",
    7,
  ),
);
const message = (withMeta: fc.Arbitrary<unknown>) =>
  fc.record(
    { jsonrpc: sometimes(fc.constant("2.0"), junk), id, method, params: params(withMeta), more: junk },
    { requiredKeys: ["jsonrpc", "method"] },
  );
const accept = sometimes(
  fc.constant(JSON_HEADERS.accept),
  fc.constantFrom("application/json", "text/event-stream", "*/*", "text/html"),
);
const old: fc.Arbitrary<Asked> = fc.record({
  body: sometimes(message(meta), fc.array(message(meta), { maxLength: 2 })),
  headers: fc.record({
    accept,
    "mcp-protocol-version": sometimes(
      fc.constantFrom("2025-11-25", "2025-06-18", undefined),
      fc.constantFrom("1999-01-01", "2027-01-01", VERSION),
    ),
  }),
  session: fc.boolean(),
});
const envelope = meta.map((extra) => ({ ...(typeof extra === "object" ? extra : {}), ...ENVELOPE }));
const oddEnvelope = fc.record(
  {
    "io.modelcontextprotocol/protocolVersion": fc.constantFrom(VERSION, "2025-11-25", 7),
    "io.modelcontextprotocol/clientInfo": fc.constantFrom({ name: "t", version: "1" }, { name: 7 }, null),
    "io.modelcontextprotocol/clientCapabilities": fc.constantFrom({}, { sampling: {} }, 7),
    "io.modelcontextprotocol/logLevel": fc.constantFrom("debug", "error", "loud"),
  },
  { requiredKeys: [] },
);
const modern: fc.Arbitrary<Asked> = message(sometimes(envelope, oddEnvelope)).chain((body) => {
  const { method: called, params: given } = body as { method: unknown; params?: { name?: unknown } };
  return fc.record({
    body: fc.constant(body),
    headers: fc.record({
      accept,
      "mcp-protocol-version": sometimes(
        fc.constant(VERSION),
        fc.constantFrom("2025-11-25", undefined, "2027-01-01"),
      ),
      "mcp-method": sometimes(fc.constant(String(called)), fc.constantFrom("tools/list", undefined)),
      "mcp-name": sometimes(
        fc.constant(typeof given?.name === "string" ? given.name : undefined),
        fc.constantFrom("other", undefined, "=?base64?cHJvYmU=?="),
      ),
    }),
    session: fc.constant(false),
  });
});

describe("a server with direct calls answers as one without:", () => {
  test.each([
    ["requests of the 2025 era", old],
    ["requests of the 2026 era", modern],
  ])("%s, generated", async (_, requests) => {
    await fc.assert(fc.asyncProperty(requests, same), { numRuns: 2_000 });
  });

  test.each([
    ["a long list of arguments", { list: Array.from({ length: 1_001 }, (_, i) => i) }],
    ["arguments as JSON text", '{"text":"a"}'],
    ["arguments with null", { text: null }],
  ])("%s", async (_, given) => {
    const body = { jsonrpc: "2.0", id: 1, method: "tools/call", params: { name: "probe", arguments: given } };
    for (const session of [true, false]) await same({ body, headers: {}, session });
  });

  test.each([
    {},
    { toolsListChanged: true },
    { toolsListChanged: false, promptsListChanged: true, resourcesListChanged: true },
    { resourceSubscriptions: [] },
    {
      resourceSubscriptions: ["repo://sample/README.md", "repo://sample/nothing", "repo://sample/README.md"],
    },
    { toolsListChanged: true, other: 1 },
    { toolsListChanged: 1 },
    { resourceSubscriptions: [7] },
    undefined,
    "toolsListChanged",
  ])("subscriptions/listen with %j", async (notifications) => {
    const method = "subscriptions/listen";
    const headers = { "mcp-protocol-version": VERSION, "mcp-method": method };
    for (const more of [{}, { extra: 1 }]) {
      const params = { notifications, _meta: ENVELOPE, ...more };
      await same({ body: { jsonrpc: "2.0", id: "l", method, params }, headers, session: false });
    }
  });

  test.each(["x", "é", '"', "😀", "\n", "\u0001", "\ud83d"])("a long answer of %j", async (text) => {
    const call = { name: "long", arguments: { text } };
    const body = { jsonrpc: "2.0", id: 1, method: "tools/call", params: { ...call, _meta: ENVELOPE } };
    const headers = { "mcp-protocol-version": VERSION, "mcp-method": "tools/call", "mcp-name": "long" };
    await same({ body, headers, session: false });
    await same({ body: { ...body, params: call }, headers: {}, session: true });
  });

  test("a call of each tool", async () => {
    for (const name of [...TOOLS.map((tool) => tool.name), "probe"]) {
      const call = {
        name,
        arguments: { repo: "sample", query: "needle", path: "README.md", pattern: "*.md" },
      };
      const body = { jsonrpc: "2.0", id: 1, method: "tools/call", params: { ...call, _meta: ENVELOPE } };
      const headers = { "mcp-protocol-version": VERSION, "mcp-method": "tools/call", "mcp-name": name };
      await same({ body, headers, session: false });
    }
  });

  test.each(["tools/list", "prompts/list", "resources/templates/list", "server/discover", "ping"])(
    "%s, made by the SDK and kept",
    async (method) => {
      const body = { jsonrpc: "2.0", id: "l", method };
      const headers = { "mcp-protocol-version": VERSION, "mcp-method": method };
      // The second answer is a kept one.
      for (let i = 0; i < 2; i++)
        for (const more of [{}, { cursor: "c" }]) {
          for (const session of [true, false])
            await same({ body: { ...body, params: more }, headers: {}, session });
          await same({ body: { ...body, params: { ...more, _meta: ENVELOPE } }, headers, session: false });
        }
    },
  );
});
