import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { TOOLS } from "../../../server/tools/index.ts";
import { makeToken } from "../auth/support.ts";
import { writeScip } from "../index/scip/write-scip.ts";
import { makeRepository, type RunningApp, startApp, temporaryFolder } from "../support.ts";

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let running: RunningApp;
let writer: string;
let reader: string;
beforeAll(async () => {
  folder = await temporaryFolder();
  await makeRepository(join(folder.path, "workspace", "sample"), { "a.go": "package a\nfunc Run() {}\n" });
  const env = {
    WORKSPACE_DIR: join(folder.path, "workspace"),
    INDEX_DIR: join(folder.path, "index"),
    TOKENS_FILE: join(folder.path, "tokens.json"),
    AUTH_MODE: "token",
  };
  running = await startApp(env, { tools: TOOLS });
  reader = (await makeToken(env)).token;
  writer = (await makeToken(env, "--scopes", "index:write", "--name", "ci")).token;
  await running.app.start();
});
afterAll(async () => {
  await running[Symbol.asyncDispose]();
  await folder.remove();
});

const index = (path: string) =>
  writeScip([{ path, occurrences: [["t gomod m v1 m/Run().", 1, 5, 8, "definition"]] }]);

const put = (token: string, body: Uint8Array, query = "repo=sample&commit=HEAD") =>
  fetch(`${running.origin}/api/index?${query}`, {
    method: "PUT",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/octet-stream" },
    body: Buffer.from(body),
  });

test("an index is taken from a token with the scope, and refused with the reason", async () => {
  const done = await put(writer, index("a.go"));
  expect([done.status, await done.json()]).toMatchObject([
    200,
    { repo: "sample", documents: 1, tool: "scip-test" },
  ]);
  const unscoped = await put(reader, index("a.go"));
  expect([unscoped.status, await unscoped.json()]).toMatchObject([
    403,
    { error: expect.stringContaining("token create --scopes index:write") },
  ]);
  expect((await put("wrong", index("a.go"))).status).toBe(401);
  const strange = await put(writer, index("/etc/passwd"));
  expect([strange.status, await strange.json()]).toMatchObject([
    422,
    { error: expect.stringContaining("/etc/passwd") },
  ]);
  expect((await put(writer, Buffer.from("no index"))).status).toBe(422);
  expect((await put(writer, index("a.go"), "repo=sample")).status).toBe(400);
  expect((await put(writer, index("a.go"), "repo=other&commit=HEAD")).status).toBe(422);
  // Larger than the bodies of tool calls.
  const large = writeScip([
    { path: "a.go", occurrences: Array.from({ length: 20_000 }, () => ["local 1", 1, 5, 8]) },
  ]);
  expect(large.length).toBeGreaterThan(300_000);
  expect((await put(writer, large)).status).toBe(200);
});
