import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { Client as Client2025 } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport as Transport2025 } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import * as v1 from "@modelcontextprotocol/sdk/types.js";
import * as z from "zod";
import { TOOLS } from "../../../server/tools/index.ts";
import { defineTool } from "../../../server/tools/tool.ts";
import { conformanceProfile } from "../conformance/profile.ts";
import { eventually, makeRepository, type RunningApp, rpc, startApp, temporaryFolder } from "../support.ts";

const lamp = defineTool({
  name: "lamp",
  title: "Lamp",
  description: "There while there is power",
  scope: "code:read",
  needs: ["power"],
  input: z.object({}),
  output: z.object({ lit: z.boolean() }),
  run: async () => ({ lit: true }),
});

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let running: RunningApp;
const README = "repo://sample/README.md";
beforeAll(async () => {
  folder = await temporaryFolder();
  const root = join(folder.path, "workspace", "sample");
  await makeRepository(root);
  // More files in the top folder than one page holds, and one in a folder whose name a URI must escape.
  await Promise.all(Array.from({ length: 120 }, (_, i) => writeFile(join(root, `file-${i}.txt`), String(i))));
  await mkdir(join(root, "a b"));
  await writeFile(join(root, "a b", "ö#?.md"), "odd name");
  await writeFile(join(root, "pixel.png"), Buffer.from([0x89, 0x50, 0, 1]));
  const env = { WORKSPACE_DIR: join(folder.path, "workspace"), RATE_LIMIT_ADDRESS: "0" };
  running = await startApp(env, { profile: conformanceProfile, tools: [...TOOLS, lamp] });
});
afterAll(async () => {
  await running.app.close();
  await folder.remove();
});

type Received = { method: string; params?: Record<string, unknown> | undefined };
/** What the clients of both generations can do, as far as it is tested here. */
interface Subject {
  client: Pick<
    Client,
    | "listTools"
    | "listResources"
    | "listResourceTemplates"
    | "readResource"
    | "listPrompts"
    | "getPrompt"
    | "complete"
    | "close"
  > & {
    callTool(
      params: { name: string; arguments?: Record<string, unknown> },
      ...more: unknown[]
    ): Promise<unknown>;
  };
  notifications: Received[];
  /** Calls a tool and passes on its progress. */
  progress(name: string): Promise<number[]>;
  /** Subscribes to changes of the tools and of one resource. */
  follow(uri: string): Promise<void>;
}

async function modern(mode: "legacy" | "auto" | { pin: string }): Promise<Subject> {
  const notifications: Received[] = [];
  const client = new Client(
    { name: "t", version: "1" },
    { versionNegotiation: { mode }, capabilities: { elicitation: {}, sampling: {} } },
  );
  client.setRequestHandler("elicitation/create", async () => ({
    action: "accept",
    content: { username: "ada", email: "a@example.com" },
  }));
  client.setRequestHandler("sampling/createMessage", async () => ({
    role: "assistant",
    model: "m",
    content: { type: "text", text: "sampled" },
  }));
  for (const method of [
    "notifications/tools/list_changed",
    "notifications/resources/updated",
    "notifications/message",
  ] as const)
    client.setNotificationHandler(method, ({ params }) => void notifications.push({ method, params }));
  await client.connect(new StreamableHTTPClientTransport(new URL(`${running.origin}/mcp`)));
  return {
    client: client as unknown as Subject["client"],
    notifications,
    progress: async (name) => {
      const steps: number[] = [];
      await client.callTool(
        { name, arguments: {} },
        { onprogress: ({ progress }) => void steps.push(progress) },
      );
      return steps;
    },
    follow: async (uri) => {
      if (mode === "legacy") await client.subscribeResource({ uri });
      else await client.listen({ toolsListChanged: true, resourceSubscriptions: [uri] });
    },
  };
}

async function old(): Promise<Subject> {
  const notifications: Received[] = [];
  const client = new Client2025(
    { name: "t", version: "1" },
    { capabilities: { elicitation: {}, sampling: {} } },
  );
  client.setRequestHandler(v1.ElicitRequestSchema, async () => ({
    action: "accept",
    content: { username: "ada", email: "a@example.com" },
  }));
  client.setRequestHandler(v1.CreateMessageRequestSchema, async () => ({
    role: "assistant",
    model: "m",
    content: { type: "text", text: "sampled" },
  }));
  client.fallbackNotificationHandler = async ({ method, params }) =>
    void notifications.push({ method, params });
  const transport = new Transport2025(new URL(`${running.origin}/mcp`));
  await client.connect(transport as Parameters<typeof client.connect>[0]);
  return {
    client: client as unknown as Subject["client"],
    notifications,
    progress: async (name) => {
      const steps: number[] = [];
      const onprogress = ({ progress }: { progress: number }) => void steps.push(progress);
      await client.callTool({ name, arguments: {} }, undefined, { onprogress });
      return steps;
    },
    follow: async (uri) => void (await client.subscribeResource({ uri })),
  };
}

describe.each([
  ["sdk 1.x", old],
  ["client 2.x, legacy", () => modern("legacy")],
  ["client 2.x, auto", () => modern("auto")],
  ["client 2.x, pinned to 2026-07-28", () => modern({ pin: "2026-07-28" })],
])("%s", (_, connect) => {
  let subject: Subject;
  beforeAll(async () => {
    subject = await connect();
  });
  afterAll(() => subject.client.close());

  test("resources are listed in pages, are read as text or as binary data under any name, and end at the workspace", async () => {
    const { client } = subject;
    const read = async (uri: string) => (await client.readResource({ uri })).contents[0];
    // The cursor is carried by the newer clients themselves.
    const uris: string[] = [];
    for (let cursor: string | undefined, page = 0; page === 0 || cursor; page++) {
      const answer = await client.listResources(cursor ? { cursor } : undefined);
      uris.push(...answer.resources.map((r) => r.uri));
      cursor = answer.nextCursor;
    }
    expect(new Set(uris).size).toBe(uris.length);
    expect(uris.length).toBeGreaterThan(120);
    expect(uris).toContain(README);
    expect((await client.listResourceTemplates()).resourceTemplates[0]?.uriTemplate).toBe(
      "repo://{repo}/{+path}",
    );
    expect(await read(README)).toMatchObject({
      mimeType: "text/markdown",
      text: expect.stringContaining("#"),
    });
    expect(await read("repo://sample/src/main.ts")).toMatchObject({
      text: expect.stringContaining("answer"),
    });
    expect(await read("repo://sample/a%20b/%C3%B6%23%3F.md")).toMatchObject({ text: "odd name" });
    expect(await read("repo://sample/pixel.png")).toMatchObject({ mimeType: "image/png", blob: "iVAAAQ==" });
    for (const uri of [
      "repo://sample/secret.env",
      "repo://sample/.git/config",
      "repo://sample/%2E%2E/%2E%2E/tokens.json",
      "repo://sample/..%2f..%2fetc/passwd",
      "repo://nobody/README.md",
      "file:///etc/passwd",
    ])
      await expect(client.readResource({ uri })).rejects.toThrow();
  });

  test("prompts are listed, rendered and completed", async () => {
    const { client } = subject;
    const { prompts } = await client.listPrompts();
    expect(prompts.map((p) => p.name)).toEqual(
      expect.arrayContaining(["explain_symbol", "review_diff", "onboard"]),
    );
    const explain = await client.getPrompt({ name: "explain_symbol", arguments: { symbol: "answer" } });
    expect(JSON.stringify(explain)).toContain("find_references");
    const onboard = await client.getPrompt({ name: "onboard", arguments: { repo: "sample" } });
    expect(JSON.stringify(onboard)).toContain("src/main.ts");
    const review = await client.getPrompt({ name: "review_diff", arguments: { base: "HEAD" } });
    expect(JSON.stringify(review)).toContain("no difference");
    for (const base of ["--output=/tmp/x", "nothing", "a..b"])
      await expect(client.getPrompt({ name: "review_diff", arguments: { base } })).rejects.toThrow();
    const complete = async (ref: object, name: string, value: string, args?: Record<string, string>) =>
      (
        await client.complete({
          ref: ref as { type: "ref/prompt"; name: string },
          argument: { name, value },
          ...(args ? { context: { arguments: args } } : {}),
        })
      ).completion.values;
    const template = { type: "ref/resource", uri: "repo://{repo}/{+path}" };
    expect(await complete(template, "repo", "sa")).toEqual(["sample"]);
    expect(await complete(template, "path", "src/", { repo: "sample" })).toContain("src/main.ts");
    expect(await complete({ type: "ref/prompt", name: "onboard" }, "repo", "s")).toEqual(["sample"]);
    expect(await complete({ type: "ref/prompt", name: "review_diff" }, "base", "ma")).toEqual(["main"]);
  });

  test("a tool reports progress, and gets answers from the user and from the model", async () => {
    const { client } = subject;
    expect(await subject.progress("test_tool_with_progress")).toEqual([0, 50, 100]);
    const elicited = await client.callTool({ name: "test_elicitation", arguments: { message: "Who?" } });
    expect(JSON.stringify(elicited)).toContain("ada");
    const sampled = await client.callTool({ name: "test_sampling", arguments: { prompt: "Say" } });
    expect(JSON.stringify(sampled)).toContain("sampled");
  });

  test("a changed file and a new tool are notified, and the new tool works", async () => {
    const { client, notifications } = subject;
    const names = async () => (await client.listTools()).tools.map((t) => t.name);
    const received = (method: string) => () =>
      notifications.some((t) => t.method === `notifications/${method}`);
    running.app.capabilities.set("power", false, "not yet");
    expect(await names()).not.toContain("lamp");
    await subject.follow(README);
    notifications.length = 0;
    await writeFile(
      join(folder.path, "workspace", "sample", "README.md"),
      `# changed ${"x".repeat(Math.random() * 1_000)}`,
    );
    await eventually(received("resources/updated"), "the notification about the file");
    running.app.capabilities.set("power", true, "plugged in");
    await eventually(received("tools/list_changed"), "the notification about the tool");
    expect(
      await (await rpc(running.origin, { jsonrpc: "2.0", id: 1, method: "tools/list", params: {} })).text(),
    ).toContain('"lamp"');
    expect(JSON.stringify(await client.callTool({ name: "lamp", arguments: {} }))).toContain("lit");
  });
});
