import { execFile } from "node:child_process";
import { readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { createServer, type IncomingHttpHeaders, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join, normalize } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { parseCredentials, parseRemotes, type Remote } from "../../../server/workspace/sync/settings.ts";
import { Sync, type SyncOptions } from "../../../server/workspace/sync/sync.ts";
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
let upstream: string;
let dir: string;
let changes = 0;
const logged: string[] = [];
const open: { close(): Promise<void> }[] = [];
beforeEach(async () => {
  folder = await temporaryFolder();
  upstream = join(folder.path, "upstream");
  dir = join(folder.path, "workspace");
  changes = 0;
  logged.length = 0;
  await makeRepository(upstream, { "a.txt": "one\n", ".gitignore": "secret.env\n" });
});
afterEach(async () => {
  await Promise.all(open.splice(0).map((each) => each.close()));
  await folder.remove();
});

const run = promisify(execFile);
const git = (...args: string[]) =>
  run("git", ["-c", "user.name=T", "-c", "user.email=t@example.test", "-C", upstream, ...args]);

function makeSync(remotes: Remote[], more: Partial<SyncOptions> = {}): Sync {
  const write = (facts: object, text: string) => void logged.push(`${JSON.stringify(facts)} ${text}`);
  const sync = new Sync({
    dir,
    remotes,
    credentials: [],
    everySeconds: 3_600,
    onChanged: () => changes++,
    log: { info: write, warn: write },
    ...more,
  });
  open.push(sync);
  return sync;
}

const copy = (url = upstream, branch?: string): Remote => ({ name: "copy", url, branch });
const text = (file = "a.txt") => readFile(join(dir, "copy", file), "utf8");

describe("Sync", () => {
  test("clones and follows a remote, and reports the state", async () => {
    const sync = makeSync([copy()]);
    const states = new Set<string>();
    sync.onState((name, { state }) => states.add(`${name} ${state}`));
    expect(sync.describe()).toBe("copy waiting");
    await sync.refresh();
    expect(await text()).toBe("one\n");
    expect(sync.state("copy")).toEqual({ state: "ready", at: expect.any(String) });
    expect([...states]).toContain("copy ready");

    await writeFile(join(upstream, "a.txt"), "two\n");
    await git("commit", "--quiet", "--all", "--message=Two");
    await sync.refresh();
    expect(await text()).toBe("two\n");
    await sync.refresh();
    expect(changes).toBe(2);
    expect(await readdir(dir)).toEqual([".sync.lock", "copy"]);
  });

  test("follows a branch and a rewritten history, and reverts local changes in the copy", async () => {
    await git("switch", "--quiet", "--create", "next");
    await writeFile(join(upstream, "a.txt"), "next\n");
    await git("commit", "--quiet", "--all", "--message=Next");
    const next = makeSync([copy(upstream, "next")]);
    await next.refresh();
    expect(await text()).toBe("next\n");
    await writeFile(join(upstream, "a.txt"), "again\n");
    await git("commit", "--quiet", "--all", "--amend", "--message=Again");
    await writeFile(join(dir, "copy", "a.txt"), "changed here\n");
    await next.refresh();
    expect(await text()).toBe("again\n");
    const main = makeSync([copy(upstream, "main")]);
    await main.refresh();
    expect(await text()).toBe("one\n");
  });

  test("keeps the last good copy of a failing remote, logs the reason once, and tries again", async () => {
    const other: Remote = { name: "other", url: join(folder.path, "nowhere"), branch: undefined };
    const sync = makeSync([other, copy()]);
    await sync.refresh();
    expect(sync.state("other")).toMatchObject({
      state: "failed",
      reason: expect.stringMatching(/^git clone failed: fatal:/),
    });
    expect(sync.state("copy")?.state).toBe("ready");
    await rename(upstream, `${upstream}-away`);
    await sync.refresh();
    await sync.refresh();
    expect(sync.state("copy")).toMatchObject({ state: "failed", at: expect.any(String) });
    expect(await text()).toBe("one\n");
    expect(logged.filter((line) => line.includes('"repo":"copy"') && line.includes("stays"))).toHaveLength(1);
    await rename(`${upstream}-away`, upstream);
    await sync.refresh();
    expect(sync.state("copy")?.state).toBe("ready");
  });

  test("removes an interrupted clone, keeps a folder with a similar name, and keeps the copy of a remote that lost its commits", async () => {
    const sync = makeSync([copy()]);
    await run("git", ["init", "--quiet", join(dir, ".new-0b8d3f1e-1d5e-4f3c-9a52-3c1f1f6f9f10")]);
    await run("git", ["init", "--quiet", join(dir, ".new-of-mine")]);
    await sync.refresh();
    expect(await text()).toBe("one\n");
    expect((await readdir(dir)).sort()).toEqual([".new-of-mine", ".sync.lock", "copy"]);
    await rm(join(upstream, ".git"), { recursive: true });
    await run("git", ["init", "--quiet", upstream]);
    await sync.refresh();
    expect(sync.state("copy")?.state).toBe("failed");
    expect(await text()).toBe("one\n");
  });
});

/** Serves a bare repository as plain files, to a client that sends the password. */
async function startRemote(
  authorization: string,
): Promise<{ url: string; server: Server; seen: IncomingHttpHeaders[] }> {
  const bare = join(folder.path, "bare.git");
  await run("git", ["clone", "--quiet", "--bare", upstream, bare]);
  await run("git", ["-C", bare, "update-server-info"]);
  const seen: IncomingHttpHeaders[] = [];
  const server = createServer(async (request, response) => {
    seen.push(request.headers);
    if (request.headers.authorization !== authorization) return response.writeHead(401).end();
    const path = normalize(new URL(request.url ?? "/", "http://x").pathname).replace("/bare.git", "");
    const body = await readFile(join(bare, path)).catch(() => undefined);
    return body ? response.writeHead(200).end(body) : response.writeHead(404).end();
  });
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  open.push({ close: () => new Promise((done) => server.close(() => done())) });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/bare.git`, server, seen };
}

describe("credentials", () => {
  test("are sent to their own host, and are neither in the copy nor in the log", async () => {
    const { credentials } = parseCredentials("http://bot:s3cret%2Fword@127.0.0.1:1");
    const authorization = credentials[0]?.authorization ?? "";
    const { url } = await startRemote(authorization);
    const mine = { origin: new URL(url).origin, authorization };
    const sync = makeSync([copy(url)], { credentials: [mine] });
    await sync.refresh();
    expect(sync.state("copy")).toMatchObject({ state: "ready" });
    expect(await text()).toBe("one\n");
    const kept = await readFile(join(dir, "copy", ".git", "config"), "utf8");
    for (const place of [kept, logged.join("\n"), sync.describe()])
      expect(place).not.toMatch(/s3cret|Basic|bot:/);
  });

  test("are not sent to another host, and are not in the error", async () => {
    const { url, seen } = await startRemote("Basic somebody-else");
    const { credentials } = parseCredentials("http://bot:s3cret@127.0.0.1:1 http://bot:other@localhost");
    const sync = makeSync([copy(url)], { credentials });
    await sync.refresh();
    expect(sync.state("copy")?.state).toBe("failed");
    expect(seen.every((headers) => headers.authorization === undefined)).toBe(true);
    expect(`${logged.join()} ${sync.describe()}`).not.toMatch(/s3cret|other@/);
  });
});

describe("settings", () => {
  test("REPOSITORIES takes URLs, paths, names and branches", () => {
    expect(
      parseRemotes("https://git.example.com/o/one.git two=/srv/git/x#main, ssh://git@host/o/three#feature/x")
        .remotes,
    ).toEqual([
      { name: "one", url: "https://git.example.com/o/one.git", branch: undefined },
      { name: "two", url: "/srv/git/x", branch: "main" },
      { name: "three", url: "ssh://git@host/o/three", branch: "feature/x" },
    ]);
  });

  test.each([
    ["https://user:t0ken@git.example.com/o/n", "holds credentials; move them to GIT_CREDENTIALS"],
    ["ext::sh", "protocol that is not fetched"],
    ["--upload-pack=/bin/sh", "neither a URL nor an absolute path"],
    ["../n", "neither a URL nor an absolute path"],
    ["https://h/a/n https://h/b/n", "entry 2 is the second one named n"],
    ["https://t0ken@git.example.com/o/n", "holds credentials"],
    ["https://:t0ken@git.example.com/o/n", "holds credentials"],
    ["https://user:t0ken/with/slashes@git.example.com/o/n", "is neither a URL"],
    ["ssh://git:t0ken@git.example.com/o/n", "holds credentials"],
    ["https://git.example.com/o/n?private_token=t0ken", "holds credentials"],
    ["user:t0ken@git.example.com:o/n", "has a protocol that is not fetched"],
    ["https://user:t0ken@", "is neither a URL"],
    ["https://h/.git", "has no name"],
    ["https://h/n#-x", "names no valid branch"],
  ])("%s is refused", (entry, problem) => {
    const { problems } = parseRemotes(entry);
    expect(problems.join()).toContain(problem);
    expect(problems.join()).not.toContain("t0ken");
  });

  test("an invalid credential is reported only by its number", () => {
    expect(parseCredentials("https://a:b@h t0ken").problems).toEqual([
      "entry 2 is not a credential; write https://user:token@host",
    ]);
    expect(parseCredentials("https://a:t0%ken@h").problems).toEqual([
      'entry 1 has a "%" that starts no percent-encoding; write %25',
    ]);
  });
});

test("the server starts before its first clone, reports its state, then serves it", async () => {
  await using running = await startApp({
    WORKSPACE_DIR: dir,
    REPOSITORIES: `copy=${upstream}`,
    INDEX_DIR: join(folder.path, "index"),
  });
  const { readiness } = running.app;
  expect((await readiness.probe()).checks.workspace).toMatchObject({
    ok: true,
    detail: `none in ${dir} yet: copy waiting`,
  });
  await running.app.start();
  await eventually(() => running.app.capabilities.has("index"), "the index of the copy");
  const call = { jsonrpc: "2.0", id: 1, method: "tools/call", params: { name: "list_repos", arguments: {} } };
  expect(await (await rpc(running.origin, call)).text()).toMatch(/"sync":\{"state":"ready"/);
});

test("a client with a notification stream gets the state of the copies and the tools of the index", async () => {
  await using running = await startApp({
    WORKSPACE_DIR: dir,
    REPOSITORIES: `copy=${upstream} lost=${join(folder.path, "nowhere")}`,
    INDEX_DIR: join(folder.path, "index"),
  });
  const id = await openSession(running.origin);
  const headers = { accept: "text/event-stream", "mcp-session-id": id };
  const stream = await fetch(`${running.origin}/mcp`, { headers });
  await running.app.start();
  const isComplete = (text: string) =>
    text.includes("notifications/tools/list_changed") &&
    text.includes("copy: ready") &&
    text.includes("lost: git clone");
  const text = await readUntil(stream, isComplete);
  expect(text).toMatch(
    /"level":"warning","logger":"workspace","data":"lost: git clone failed: .*the last good copy stays"/,
  );
  await eventually(() => running.app.capabilities.has("index"), "the index of the copy");
  const list = { jsonrpc: "2.0", id: 2, method: "tools/list", params: {} };
  expect(await (await rpc(running.origin, list, { "mcp-session-id": id })).text()).toContain('"find_symbol"');
});
