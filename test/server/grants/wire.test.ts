import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { Client as Client2025 } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport as Transport2025 } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { makeToken } from "../auth/support.ts";
import { makeRepository, type RunningApp, startApp, temporaryFolder } from "../support.ts";

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let running: RunningApp;
const tokens: Record<string, string> = {};
const GRANTS =
  "token:limited scopes=code:read repositories=app-* tools=list_repos,search*,read_file,git_diff; token:full";
beforeAll(async () => {
  folder = await temporaryFolder();
  for (const name of ["app-one", "app-two", "secret"])
    await makeRepository(join(folder.path, "workspace", name), {
      "README.md": `needle of ${name}\n`,
      ".gitignore": "*.env\n",
    });
  const env = {
    AUTH_MODE: "token",
    GRANTS,
    WORKSPACE_DIR: join(folder.path, "workspace"),
    TOKENS_FILE: join(folder.path, "tokens.json"),
    RATE_LIMIT_ADDRESS: "0",
    RATE_LIMIT_TOKEN: "0",
  };
  for (const name of ["limited", "full", "stranger"])
    tokens[name] = (await makeToken(env, "--name", name, "--scopes", "code:read,ops")).token;
  running = await startApp({
    CHATGPT_TOOLS: "always",
    ...env,
    INDEX_DIR: join(folder.path, "index"),
  });
  await running.app.start();
  for (let ready = 0; ready < 3; ) {
    const answer = await fetch(`${running.origin}/api/tools/list_repos`, {
      method: "POST",
      headers: headers("full"),
    });
    const { repos } = (await answer.json()) as { repos: { index: string }[] };
    ready = repos.filter(({ index }) => index === "ready").length;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
});
afterAll(async () => {
  await running.app.close();
  await folder.remove();
});

const headers = (who: string) => ({ authorization: `Bearer ${tokens[who]}` });

type Subject = Pick<
  Client,
  | "callTool"
  | "listTools"
  | "listResources"
  | "listResourceTemplates"
  | "readResource"
  | "complete"
  | "listPrompts"
  | "getPrompt"
  | "close"
>;
const ERAS: Record<string, (who: string) => Promise<Subject>> = {
  "2025": async (who) => {
    const client = new Client2025({ name: "t", version: "1" });
    const transport = new Transport2025(new URL(`${running.origin}/mcp`), {
      requestInit: { headers: headers(who) },
    });
    await client.connect(transport as Parameters<Client2025["connect"]>[0]);
    return client as unknown as Subject;
  },
  "2026": async (who) => {
    const client = new Client(
      { name: "t", version: "1" },
      { versionNegotiation: { mode: { pin: "2026-07-28" } } },
    );
    await client.connect(
      new StreamableHTTPClientTransport(new URL(`${running.origin}/mcp`), {
        requestInit: { headers: headers(who) },
      }),
    );
    return client;
  },
};

/** What a failed request says, with the name that it was about taken out. */
async function problemOf(work: Promise<unknown>, name: string): Promise<string> {
  const text = await work.then(
    (answer) => JSON.stringify(answer),
    (error: Error & { code?: number; data?: unknown }) =>
      JSON.stringify([error.code, error.message, error.data]),
  );
  return text.replaceAll(name, "NAME");
}

describe.each(Object.entries(ERAS))("MCP %s", (_era, connect) => {
  let client: Subject;
  beforeAll(async () => {
    client = await connect("limited");
  });
  afterAll(() => client.close());

  test("only granted tools are listed", async () => {
    const { tools } = await client.listTools();
    expect(tools.map(({ name }) => name).sort()).toEqual(
      expect.arrayContaining(["git_diff", "list_repos", "read_file", "search", "search_text"]),
    );
    expect(tools.map(({ name }) => name)).not.toEqual(expect.arrayContaining(["git_log"]));
    expect(tools.map(({ name }) => name)).not.toEqual(expect.arrayContaining(["list_files"]));
  });

  test("only granted repositories are listed, searched, completed and offered as resources", async () => {
    const { structuredContent } = (await client.callTool({ name: "list_repos", arguments: {} })) as {
      structuredContent: { repos: { name: string }[] };
    };
    expect(structuredContent.repos.map(({ name }) => name)).toEqual(["app-one", "app-two"]);
    const search = await client.callTool({ name: "search", arguments: { query: "needle" } });
    expect(JSON.stringify(search)).toMatch(/app-one:.*app-two:/);
    expect(JSON.stringify(search)).not.toContain("secret");
    const { resources } = await client.listResources();
    expect(resources.map(({ uri }) => uri)).toEqual(
      ["app-one", "app-two"].flatMap((name) => [`repo://${name}/.gitignore`, `repo://${name}/README.md`]),
    );
    const ref = { type: "ref/resource" as const, uri: "repo://{repo}/{+path}" };
    const complete = async (argument: { name: string; value: string }, repo?: string) =>
      (await client.complete({ ref, argument, ...(repo ? { context: { arguments: { repo } } } : {}) }))
        .completion.values;
    expect(await complete({ name: "repo", value: "" })).toEqual(["app-one", "app-two"]);
    expect(await complete({ name: "path", value: "" }, "app-one")).toEqual([".gitignore", "README.md"]);
    expect(await complete({ name: "path", value: "" }, "secret")).toEqual([]);
    const prompt = { type: "ref/prompt" as const, name: "onboard" };
    expect(
      (await client.complete({ ref: prompt, argument: { name: "repo", value: "s" } })).completion.values,
    ).toEqual([]);
  });

  test.each<[string, (client: Subject, name: string) => Promise<unknown>, string]>([
    ["a tool", (c, name) => c.callTool({ name, arguments: {} }), "git_log"],
    [
      "a repository of a tool",
      (c, repo) => c.callTool({ name: "read_file", arguments: { repo, path: "README.md" } }),
      "secret",
    ],
    [
      "a repository of a search",
      (c, repo) => c.callTool({ name: "search_text", arguments: { repo, query: "needle" } }),
      "secret",
    ],
    ["a resource", (c, repo) => c.readResource({ uri: `repo://${repo}/README.md` }), "secret"],
    [
      "a repository of a prompt",
      (c, repo) => c.getPrompt({ name: "onboard", arguments: { repo } }),
      "secret",
    ],
  ])("%s that is not granted is answered as one that does not exist", async (_what, request, hidden) => {
    const answer = await problemOf(request(client, hidden), hidden);
    expect(answer).toBe(await problemOf(request(client, "no-such"), "no-such"));
    const full = await connect("full");
    expect(await problemOf(request(full, hidden), hidden)).not.toBe(answer);
    await full.close();
  });

  test("a token without an entry sees nothing", async () => {
    const stranger = await connect("stranger");
    const tools = await stranger.listTools().then(
      (answer) => answer.tools,
      () => [],
    );
    expect(tools).toEqual([]);
    const known = await problemOf(stranger.callTool({ name: "read_file", arguments: {} }), "read_file");
    expect(known).toBe(await problemOf(stranger.callTool({ name: "no-such", arguments: {} }), "no-such"));
    await stranger.close();
  });
});

describe("the HTTP API", () => {
  async function call(who: string, path: string, init: RequestInit = {}) {
    const response = await fetch(`${running.origin}${path}`, {
      ...init,
      headers: { ...headers(who), "content-type": "application/json" },
    });
    const { request_id: _, ...body } = (await response.json()) as Record<string, unknown>;
    return {
      status: response.status,
      challenge: response.headers.get("www-authenticate"),
      allow: response.headers.get("allow"),
      body,
    };
  }
  const post = (who: string, tool: string, body: unknown = {}) =>
    call(who, `/api/tools/${tool}`, { method: "POST", body: JSON.stringify(body) });

  test("lists what is granted", async () => {
    const { body } = await call("limited", "/api/tools");
    const names = (body.tools as { name: string }[]).map(({ name }) => name);
    expect(names).toContain("read_file");
    expect(names).not.toContain("git_log");
    expect((await call("stranger", "/api/tools")).body).toEqual({ tools: [] });
  });

  test("a tool that is not granted is answered as one that does not exist, by each method", async () => {
    for (const who of ["limited", "stranger"]) {
      expect(await post(who, "git_log")).toEqual(await post(who, "no_such"));
      expect(await call(who, "/api/tools/git_log")).toEqual(await call(who, "/api/tools/no_such"));
    }
    expect((await call("limited", "/api/tools/read_file")).status).toBe(405);
  });

  test("a repository that is not granted is answered as one that does not exist", async () => {
    const read = async (repo: string) =>
      JSON.stringify(await post("limited", "read_file", { repo, path: "README.md" })).replaceAll(
        repo,
        "NAME",
      );
    expect(await read("secret")).toBe(await read("no-such"));
    expect((await post("full", "read_file", { repo: "secret", path: "README.md" })).status).toBe(200);
  });

  test("a scope that is not granted is none", async () => {
    const metrics = (who: string) =>
      fetch(`${running.origin}/metrics`, { headers: { ...headers(who), "x-forwarded-for": "203.0.113.7" } });
    expect((await metrics("limited")).status).toBe(403);
    expect((await metrics("full")).status).toBe(200);
  });
});
