import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { lenientMessages } from "../../../server/mcp/lenient-messages.ts";
import { PROMPT_ARGUMENTS } from "../../../server/mcp/prompt-arguments.ts";
import { makeRepository, openSession, type RunningApp, rpc, startApp, temporaryFolder } from "../support.ts";

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let running: RunningApp;
beforeAll(async () => {
  folder = await temporaryFolder();
  await makeRepository(`${folder.path}/sample`);
  running = await startApp({ AUTH_MODE: "none", WORKSPACE_DIR: folder.path, RATE_LIMIT_ADDRESS: "0" });
});
afterAll(async () => {
  await running.app.close();
  await folder.remove();
});

const META = {
  "io.modelcontextprotocol/protocolVersion": "2026-07-28",
  "io.modelcontextprotocol/clientInfo": { name: "test", version: "1" },
  "io.modelcontextprotocol/clientCapabilities": {},
};

/** The result or error of one request, in the way of a client of each kind. */
const WAYS = {
  "2025, with a session": async (method: string, params: unknown) => {
    const id = await openSession(running.origin);
    return answerOf(await rpc(running.origin, request(method, params), { "mcp-session-id": id }));
  },
  "2025, without one": async (method: string, params: unknown) =>
    answerOf(await rpc(running.origin, request(method, params))),
  "2026": async (method: string, params: unknown) => {
    const named = (params as { name?: string } | null)?.name;
    return answerOf(
      await rpc(running.origin, request(method, { ...(params as object), _meta: META }), {
        "mcp-protocol-version": "2026-07-28",
        "mcp-method": method,
        ...(named ? { "mcp-name": named } : {}),
      }),
    );
  },
};

const request = (method: string, params: unknown) => ({ jsonrpc: "2.0", id: 7, method, params });

async function answerOf(response: Response): Promise<unknown> {
  const text = await response.text();
  return JSON.parse(/^data: (\{.*)$/m.exec(text)?.[1] ?? text);
}

describe.each(Object.entries(WAYS))("%s", (_, ask) => {
  test.each([
    ["no arguments", undefined],
    ["null", null],
    ["an empty list, as PHP writes an empty object", []],
    ["empty text", ""],
    ["JSON text of null", "null"],
    ["JSON text of an object", '{"max_results":"5"}'],
    ["nulls inside", { offset: null }],
  ])("a tool is called with %s", async (_what, args) => {
    expect(await ask("tools/call", { name: "list_repos", arguments: args })).toMatchObject({
      result: { structuredContent: { repos: [{ name: "sample" }] } },
    });
  });

  test.each([
    ["tools/list", null],
    ["tools/list", []],
    ["tools/list", { cursor: null }],
    ["resources/list", { cursor: null }],
    ["prompts/list", null],
  ])("%s with the params %j", async (method, params) => {
    expect(await ask(method, params)).toHaveProperty("result");
  });

  test("the arguments of a prompt may be null, JSON text, or an object with nulls", async () => {
    const plain = await ask("prompts/get", { name: "onboard", arguments: {} });
    expect(plain).toHaveProperty("result");
    for (const args of [null, { repo: null }, JSON.stringify({ repo: null })])
      expect(await ask("prompts/get", { name: "onboard", arguments: args })).toEqual(plain);
  });

  test("the arguments of a prompt may be empty, have other names, and be no texts", async () => {
    const plain = await ask("prompts/get", { name: "explain_symbol", arguments: { symbol: "answer" } });
    expect(plain).toHaveProperty("result");
    for (const args of [
      { symbol: "answer", repo: "" },
      { name: "answer", repository: "sample" },
      { arguments: { symbol_name: ["answer"] } },
    ])
      expect(await ask("prompts/get", { name: "explain_symbol", arguments: args })).toEqual(plain);
    expect(await ask("prompts/get", { name: "explain_symbol", arguments: { symbol: 7 } })).toHaveProperty(
      "result",
    );
  });

  test.each([
    [{ ref: { type: "prompt", name: "onboard" }, argument: { name: "repository", value: "s" } }],
    [
      {
        ref: { type: "ref/prompt", name: "onboard" },
        argument: { name: "repo", value: null },
        context: null,
      },
    ],
    [
      {
        ref: { type: "resource", uri: "repo://{repo}/{+path}" },
        argument: { name: "repo", value: "sa" },
        context: { arguments: null },
      },
    ],
  ])("completion of %j", async (params) => {
    expect(await ask("completion/complete", params)).toMatchObject({
      result: { completion: { values: ["sample"] } },
    });
  });

  test("completion counts empty and absent arguments before it the same", async () => {
    const params = (args: unknown) => ({
      ref: { type: "ref/resource", uri: "repo://{repo}/{+path}" },
      argument: { name: "file_path", value: "src/ma" },
      context: { arguments: args },
    });
    for (const args of [null, {}, { repo: "" }, { repo: null }, '{"repository":"sample"}'])
      expect(await ask("completion/complete", params(args))).toMatchObject({
        result: { completion: { values: ["src/main.ts"] } },
      });
  });

  test("the prompts have the arguments that are listed for lenient calls", async () => {
    const { result } = (await ask("prompts/list", {})) as {
      result: { prompts: { name: string; arguments: { name: string; required?: boolean }[] }[] };
    };
    const listed = result.prompts.map(({ name, arguments: args }) => [
      name,
      args.map((arg) => arg.name).sort(),
      args.filter((arg) => arg.required).map((arg) => arg.name),
    ]);
    expect(listed).toEqual(
      Object.entries(PROMPT_ARGUMENTS).map(([name, schema]) => [
        name,
        Object.keys(schema.properties ?? {}).sort(),
        schema.required ?? [],
      ]),
    );
  });

  test("the error of a prompt that fails in git has git's message", async () => {
    // The sample has one commit, so HEAD~1 does not exist.
    expect(await ask("prompts/get", { name: "review_diff", arguments: null })).toMatchObject({
      error: { code: -32_602, message: expect.stringMatching(/^git diff failed: fatal: .*HEAD~1/) },
    });
  });

  test.each([[["a"]], [0], [true], ["text"], ["[]"]])(
    "arguments that are no object (%j) are refused",
    async (args) => {
      expect(await ask("tools/call", { name: "list_repos", arguments: args })).toMatchObject({
        error: { code: -32_602 },
      });
    },
  );
});

test("responses and notifications are accepted, and other JSON is refused", () => {
  const answer = { jsonrpc: "2.0", id: 1, result: { content: null } };
  for (const same of [
    answer,
    null,
    undefined,
    "text",
    1,
    {},
    [[null]],
    { jsonrpc: "2.0", id: null, method: "ping" },
  ])
    expect(lenientMessages(same)).toEqual(same);
  expect(
    lenientMessages([{ jsonrpc: "2.0", id: null, method: "notifications/initialized", params: null }]),
  ).toEqual([{ jsonrpc: "2.0", method: "notifications/initialized" }]);
});
