import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { Client as Client2025 } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport as Transport2025 } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { auditCommand } from "../../../server/audit/audit-command.ts";
import { auditFiles } from "../../../server/audit/audit-file.ts";
import { verifyAudit } from "../../../server/audit/verify.ts";
import { makeToken } from "../auth/support.ts";
import { eventuallyAsync, makeRepository, type RunningApp, startApp, temporaryFolder } from "../support.ts";

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let env: Record<string, string>;
let token: { id: string; token: string };
beforeAll(async () => {
  folder = await temporaryFolder();
  await makeRepository(join(folder.path, "workspace", "sample"));
  env = {
    AUTH_MODE: "token",
    WORKSPACE_DIR: join(folder.path, "workspace"),
    TOKENS_FILE: join(folder.path, "tokens.json"),
  };
  token = await makeToken(env, "--name", "laptop");
});
afterAll(() => folder.remove());
let n = 0;
beforeEach(() => {
  env.AUDIT_DIR = join(folder.path, `audit-${n++}`);
});

/** Runs `work` against a server, and returns what the log holds after its end: at least `count` records. */
async function audited(count: number, work: (running: RunningApp) => Promise<unknown>, more = {}) {
  {
    await using running = await startApp({ ...env, ...more });
    await work(running);
  }
  const dir = env.AUDIT_DIR ?? "";
  // A server that is closed waits half a second for the disk, and a slow one may take longer.
  return eventuallyAsync(async () => {
    const texts = await Promise.all((await auditFiles(dir)).map((name) => readFile(join(dir, name), "utf8")));
    const lines = texts.join("").trimEnd().split("\n");
    const records = lines.map((line) => JSON.parse(line)).filter(({ type }) => type !== "head");
    return records.length >= count && records;
  }, `${count} records`);
}

async function command(...args: string[]): Promise<string> {
  let written = "";
  const made = auditCommand(env, (text) => {
    written += text;
  });
  await made.parseAsync(args, { from: "user" });
  return written;
}

const QUERY = { name: "search_text", arguments: { query: "needle" } };
const headers = () => ({ authorization: `Bearer ${token.token}` });

describe("a tool call is recorded, by whichever way it came", () => {
  const by: Record<string, (origin: string) => Promise<unknown>> = {
    "a 2025 session": async (origin) => {
      const client = new Client2025({ name: "t", version: "1" });
      const transport = new Transport2025(new URL(`${origin}/mcp`), { requestInit: { headers: headers() } });
      await client.connect(transport as Parameters<Client2025["connect"]>[0]);
      await client.callTool(QUERY);
      await client.close();
    },
    "a 2026 client": async (origin) => {
      const client = new Client({ name: "t", version: "1" });
      await client.connect(
        new StreamableHTTPClientTransport(new URL(`${origin}/mcp`), { requestInit: { headers: headers() } }),
      );
      await client.callTool(QUERY);
      await client.close();
    },
    "the HTTP API": (origin) =>
      fetch(`${origin}/api/tools/search_text`, {
        method: "POST",
        headers: { ...headers(), "content-type": "application/json" },
        body: JSON.stringify(QUERY.arguments),
      }).then((response) => response.text()),
  };
  test.each(Object.entries(by))("%s", async (_name, call) => {
    const records = await audited(1, ({ origin }) => call(origin));
    expect(records).toEqual([
      {
        n: 2,
        prev: expect.stringMatching(/^[0-9a-f]{64}$/),
        type: "tool.call",
        at: expect.stringMatching(/^\d{4}-.*Z$/),
        who: { id: token.id, kind: "token", name: "laptop" },
        tool: "search_text",
        repository: "sample",
        outcome: "ok",
        argumentBytes: expect.any(Number),
        answerBytes: expect.any(Number),
        ms: expect.any(Number),
        requestId: expect.any(String),
        traceId: expect.stringMatching(/^[0-9a-f]{32}$/),
      },
    ]);
  });

  test("a refused call; its arguments only where the operator asks for them", async () => {
    const call = ({ origin }: RunningApp) =>
      fetch(`${origin}/api/tools/read_file`, {
        method: "POST",
        headers: { ...headers(), "content-type": "application/json" },
        body: JSON.stringify({ repo: "secret-repo", path: "x" }),
      });
    const [record] = await audited(1, call);
    expect(record).toMatchObject({ tool: "read_file", repository: "secret-repo", outcome: "refused" });
    expect(record).not.toHaveProperty("arguments");
    const [, full] = await audited(2, call, { AUDIT_ARGUMENTS: "yes" });
    expect(full.arguments).toMatchObject({ path: "x" });
  });
});

describe("sign-ins", () => {
  test("are recorded, and what anybody may cause is not", async () => {
    const records = await audited(1, async ({ app: { authEvents } }) => {
      authEvents.emit({ type: "metadata.read", document: "protected-resource" });
      authEvents.emit({ type: "bearer.refused", reason: "unknown" });
      authEvents.emit(
        { type: "sign-in", person: "p1", how: "passkey", client: "https://c.example" },
        { address: "2001:db8::1" },
      );
    });
    expect(records).toMatchObject([
      {
        type: "sign-in",
        how: "passkey",
        address: "2001:db8::1",
        who: { id: "user:p1", kind: "person", client: "https://c.example" },
      },
    ]);
  });
});

test("a flood that anybody may cause does not push the rest out of the log", async () => {
  const records = await audited(1_002, async ({ app: { authEvents } }) => {
    for (let n = 0; n < 1_100; n++) authEvents.emit({ type: "token.refused", error: "e", reason: "r" });
    authEvents.emit({ type: "sign-in", person: "p1", how: "passkey" });
  });
  const types = records.map(({ type }) => type);
  expect(types.filter((type) => type === "token.refused")).toHaveLength(1_000);
  expect(types.slice(1_000)).toEqual(["limit", "sign-in"]);
  expect(records[1_000].reason).toMatch(/^no more token\.refused until \d{4}-/);
});

describe("the command", () => {
  test("lists by person, tool and time, and verifies", async () => {
    await audited(2, async ({ origin, app: { authEvents } }) => {
      authEvents.emit({ type: "sign-in.refused", login: "ada\u001b[2J", reason: "wrong password" });
      await fetch(`${origin}/api/tools/list_repos`, { method: "POST", headers: headers() });
    });
    expect(await command("list")).toMatch(
      /sign-in\.refused {2}ada\?\[2J .*\n.*tool\.call {2}laptop {2}tool=list_repos/,
    );
    expect(await command("list", "--person", "laptop")).toMatch(/^\S+ {2}tool\.call.*\n$/);
    expect(await command("list", "--tool", "read_file")).toBe("");
    expect(await command("list", "--since", "2999-01-01")).toBe("");
    expect(JSON.parse(await command("list", "--person", token.id, "--json"))).toMatchObject({
      tool: "list_repos",
    });
    expect(await command("verify")).toMatch(/^3 records in 1 files of /);

    const [name = ""] = await auditFiles(env.AUDIT_DIR ?? "");
    const path = join(env.AUDIT_DIR ?? "", name);
    await writeFile(path, (await readFile(path, "utf8")).replace("wrong password", "good password"));
    await expect(command("verify")).rejects.toThrow(`${name}, line 2: the line was changed`);
    expect((await verifyAudit(env.AUDIT_DIR ?? "")).records).toBe(2);
  });
});
