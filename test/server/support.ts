import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { createApp, type ServerApp } from "../../server/app.ts";
import type { AppOptions } from "../../server/app-options.ts";
import { readConfig } from "../../server/config/config.ts";

const run = promisify(execFile);

/** A fresh folder, removed by its `remove`. */
export async function temporaryFolder(): Promise<{ path: string; remove(): Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), "mcp-edge-"));
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
}

export const SAMPLE_FILES: Readonly<Record<string, string>> = {
  "README.md": "# Sample\n\nThe needle of the haystack.\n",
  "src/main.ts": 'export const answer = 42;\nexport const name = "needle";\n// the end\n',
  "src/deep/other.ts": "// nothing here\n",
  ".github/ci.yml": "needle: hidden folder\n",
  ".gitignore": "secret.env\nnode_modules/\n",
};

/** A real git repository with one commit of SAMPLE_FILES, and an ignored file that holds a needle too. */
export async function makeRepository(
  root: string,
  files: Readonly<Record<string, string | Buffer>> = SAMPLE_FILES,
) {
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), content);
  }
  const git = (...args: string[]) =>
    run("git", ["-c", "user.name=Test", "-c", "user.email=test@example.test", "-C", root, ...args]);
  await run("git", ["init", "--quiet", "--initial-branch=main", root]);
  await git("add", "--all");
  await git("commit", "--quiet", "--message=Sample");
  await writeFile(join(root, "secret.env"), "PASSWORD=needle\n");
}

export interface RunningApp extends AsyncDisposable {
  app: ServerApp;
  origin: string;
  logs: Record<string, unknown>[];
}

/** The real app on a loopback port of the kernel's choice. */
export async function startApp(
  env: Record<string, string>,
  options: Omit<AppOptions, "config" | "logStream"> = {},
): Promise<RunningApp> {
  const logs: Record<string, unknown>[] = [];
  // A busy machine makes the event loop late. Only the tests of shedding want that to matter.
  const config = readConfig({ LOG_LEVEL: "debug", SHED_EVENT_LOOP_MS: "0", ...env });
  const app = await createApp({
    // Nothing is kept, unless the test names a folder.
    config: { ...config, sessionsDir: env.SESSIONS_DIR, audit: { ...config.audit, dir: env.AUDIT_DIR } },
    // A busy host is slow, not a call that asks for too much.
    callMs: 100_000,
    ...options,
    logStream: { write: (line) => logs.push(JSON.parse(line)) },
  });
  await app.http.listen({ host: "127.0.0.1", port: 0 });
  const { port } = app.http.server.address() as AddressInfo;
  return { app, origin: `http://127.0.0.1:${port}`, logs, [Symbol.asyncDispose]: () => app.close() };
}

/** Waits until `probe` gives something; the limit only ends a test that hangs. */
export async function eventually<T>(probe: () => T | undefined | false, what: string): Promise<T> {
  for (const started = Date.now(); Date.now() - started < 100_000; ) {
    const value = probe();
    if (value) return value;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(`waited in vain for ${what}`);
}

/** The same for a probe that takes time. One that fails is repeated. */
export async function eventuallyAsync<T>(
  probe: () => Promise<T | undefined | false>,
  what: string,
): Promise<T> {
  for (const started = performance.now(); performance.now() - started < 100_000; ) {
    const value = await probe().catch(() => undefined);
    if (value) return value;
    await sleep(10);
  }
  throw new Error(`waited in vain for ${what}`);
}

export const JSON_HEADERS = {
  "content-type": "application/json",
  accept: "application/json, text/event-stream",
};

/** One JSON-RPC request by plain fetch. */
export function rpc(origin: string, body: unknown, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(`${origin}/mcp`, {
    method: "POST",
    headers: { ...JSON_HEADERS, ...headers },
    body: typeof body === "string" ? body : JSON.stringify(body),
  });
}

export const INITIALIZE = {
  jsonrpc: "2.0",
  id: 1,
  method: "initialize",
  params: { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: "test", version: "1" } },
};

/** Opens a 2025 session. @returns its id */
export async function openSession(origin: string, headers: Record<string, string> = {}): Promise<string> {
  const response = await rpc(origin, INITIALIZE, headers);
  await response.text();
  const id = response.headers.get("mcp-session-id");
  if (!id) throw new Error(`initialize answered ${response.status} without a session`);
  await rpc(
    origin,
    { jsonrpc: "2.0", method: "notifications/initialized" },
    { ...headers, "mcp-session-id": id },
  );
  return id;
}

/** Reads an event stream until its text satisfies `enough`, or to its end. */
export async function readUntil(response: Response, enough: (text: string) => boolean): Promise<string> {
  const reader = (response.body as ReadableStream<Uint8Array>).getReader();
  const decoder = new TextDecoder();
  let text = "";
  while (!enough(text)) {
    const { done, value } = await reader.read();
    if (done) return text;
    text += decoder.decode(value, { stream: true });
  }
  await reader.cancel();
  return text;
}
