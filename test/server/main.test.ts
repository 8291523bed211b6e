import { type ChildProcess, execFile, spawn } from "node:child_process";
import { chmod, mkdir, readFile, stat, writeFile } from "node:fs/promises";
import { request } from "node:http";
import { type AddressInfo, connect, createServer, type Server } from "node:net";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { eventually, makeRepository, readUntil, rpc, temporaryFolder } from "./support.ts";

const MAIN = resolve("server/main.ts");

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
beforeAll(async () => {
  folder = await temporaryFolder();
  await makeRepository(join(folder.path, "workspace", "sample"));
  await mkdir(join(folder.path, "bin"));
  const fake = join(folder.path, "bin", "systemd-notify");
  await writeFile(fake, `#!/bin/sh\necho "$@" >> ${join(folder.path, "notified")}\n`);
  await chmod(fake, 0o755);
});
afterAll(() => folder.remove());

interface Started {
  child: ChildProcess;
  output: () => string;
  exit: Promise<number | null>;
}

/** Runs main.ts through a shell that knows its own process id, as LISTEN_PID needs it. */
function start(env: Record<string, string>, socket?: Server, args: string[] = []): Started {
  const fd = (socket as unknown as { _handle?: { fd: number } } | undefined)?._handle?.fd;
  const shell = `${socket ? "LISTEN_FDS=1 LISTEN_PID=$$ " : ""}exec "$0" "$@"`;
  const child = spawn("/bin/sh", ["-c", shell, process.execPath, MAIN, ...args], {
    cwd: folder.path,
    env: {
      PATH: `${join(folder.path, "bin")}:${process.env.PATH}`,
      SESSIONS_DIR: join(folder.path, "sessions"),
      AUDIT_DIR: join(folder.path, "audit"),
      INDEX_DIR: join(folder.path, "index"),
      ...env,
    },
    stdio: ["ignore", "pipe", "pipe", ...(fd === undefined ? [] : [fd])],
  });
  let text = "";
  for (const stream of [child.stdout, child.stderr])
    stream?.on("data", (chunk) => {
      text += chunk;
    });
  return { child, output: () => text, exit: new Promise((done) => child.once("close", done)) };
}

/** A listening socket that no event loop accepts on, as systemd holds it. */
async function heldSocket(): Promise<{ server: Server; origin: string }> {
  const server = createServer({ pauseOnConnect: true });
  await new Promise<void>((ready) => server.listen({ port: 0, host: "127.0.0.1", backlog: 4_096 }, ready));
  return { server, origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

/** Length of the accept queue of each listening TCP port, as the kernel has it (ss: Send-Q). */
async function sockets(): Promise<Map<number, number>> {
  const { stdout } = await promisify(execFile)("ss", ["-Hltn"]);
  const lines = stdout.trim().split("\n");
  return new Map(
    lines.map((line) => {
      const [, , queue, address = ""] = line.split(/\s+/);
      return [Number(address.replace(/^.*:/, "")), Number(queue)];
    }),
  );
}

function askAdmin(
  socketPath: string,
  path = "/readyz",
  method = "GET",
): Promise<{ status: number; text: string }> {
  return new Promise((done, fail) => {
    const asked = request({ socketPath, path, method }, (response) => {
      let text = "";
      response.on("data", (chunk) => {
        text += chunk;
      });
      response.on("end", () => done({ status: response.statusCode ?? 0, text }));
    });
    asked.on("error", fail);
    asked.end();
  });
}

const LIST = { jsonrpc: "2.0", id: 5, method: "tools/list", params: {} };

describe("main", () => {
  test("serves the passed socket, notifies systemd, answers on its admin socket, and drains on SIGTERM", async () => {
    const held = await heldSocket();
    const admin = join(folder.path, "blue.sock");
    const running = start(
      {
        WORKSPACE_DIR: join(folder.path, "workspace"),
        TOKENS_FILE: join(folder.path, "tokens.json"),
        AUTH_MODE: "none",
        AUTH_NONE_ALLOWED: "yes",
        ADMIN_SOCKET: admin,
        COLOUR: "blue",
        RELEASE: "f".repeat(64),
        NOTIFY_SOCKET: "/run/test-notify",
        WATCHDOG_USEC: "100000",
      },
      held.server,
    );
    // The child has its own copy; ours must not take connections away from it.
    await eventually(() => running.child.pid, "the child");
    held.server.close();
    try {
      await eventually(
        () => running.output().includes('"msg":"ready"'),
        `readiness; it said: ${running.output()}`,
      );
      expect((await stat(admin)).mode & 0o777).toBe(0o660);
      const ready = await askAdmin(admin);
      expect([ready.status, JSON.parse(ready.text)]).toMatchObject([
        200,
        {
          ready: true,
          colour: "blue",
          checks: { workspace: { ms: expect.any(Number), detail: expect.stringContaining("workspace") } },
        },
      ]);
      expect((await askAdmin(admin, "/metrics")).text).toContain('colour="blue"');
      expect(JSON.parse((await askAdmin(admin, "/capz")).text)).toMatchObject({ colour: "blue" });
      expect(await (await rpc(held.origin, LIST)).text()).toContain("search_text");
      const notified = () => readFile(join(folder.path, "notified"), "utf8");
      expect((await notified()).split("\n")).toContain("READY=1");
      while (!(await notified()).includes("WATCHDOG=1")) await sleep(20);

      // Before Caddy stops: the open streams end, the server goes on.
      const first = readUntil(await fetch(`${held.origin}/demo/stream?ms=60000`), () => false);
      expect((await askAdmin(admin, "/streams/end", "POST")).status).toBe(204);
      expect(await first).toMatch(/retry: 500\n\n$/);
      const stream = await fetch(`${held.origin}/demo/stream?ms=60000`);
      const text = readUntil(stream, () => false);
      running.child.kill("SIGTERM");
      expect(await text).toMatch(/retry: 500\n\n$/);
      expect(await running.exit).toBe(0);
      // The server does not wait for the program that says so.
      while (!(await notified()).includes("STOPPING=1")) await sleep(20);
      expect(running.output()).toContain('"clean":true');
      await expect(stat(admin)).rejects.toThrow("ENOENT");
    } finally {
      running.child.kill("SIGKILL");
    }
  });

  test("a second signal ends the process at once, though a request is in flight", async () => {
    const running = start({ WORKSPACE_DIR: join(folder.path, "workspace"), AUTH_MODE: "none", PORT: "0" });
    try {
      await eventually(() => running.output().includes("ready"), "readiness");
      const port = Number(/127\.0\.0\.1:(\d+)\/mcp/.exec(running.output())?.[1]);
      const socket = connect(port, "127.0.0.1");
      socket.on("error", () => undefined);
      socket.write(
        "POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{",
      );
      // The request has arrived when the server has answered another one that came later.
      await (await fetch(`http://127.0.0.1:${port}/readyz`)).text();
      running.child.kill("SIGINT");
      await eventually(() => running.output().includes("draining"), "the drain");
      // What npm passes on to its child is the same signal again.
      running.child.kill("SIGINT");
      await sleep(1_100);
      running.child.kill("SIGINT");
      expect(await running.exit).toBe(1);
      // Less than a second after the first signal, by the server's own clock: on a busy host the second one may arrive later.
      const timeOf = (words: string) => {
        const line = running
          .output()
          .split("\n")
          .find((one) => one.includes(words));
        return Date.parse(JSON.parse(line ?? "{}").time);
      };
      expect(timeOf("exiting at once") - timeOf("draining")).toBeGreaterThanOrEqual(950);
      socket.destroy();
    } finally {
      running.child.kill("SIGKILL");
    }
  });

  test("the passed socket keeps its queue of 4096, or as many as the kernel gives", async () => {
    const held = await heldSocket();
    const { port } = held.server.address() as AddressInfo;
    const queue = async () => (await sockets()).get(port);
    const before = await queue();
    expect(before).toBeGreaterThan(511);
    const running = start(
      { WORKSPACE_DIR: join(folder.path, "workspace"), AUTH_MODE: "none", AUTH_NONE_ALLOWED: "yes" },
      held.server,
    );
    try {
      await eventually(() => running.output().includes('"msg":"ready"'), "readiness");
      expect(await queue()).toBe(before);
    } finally {
      held.server.close();
      running.child.kill("SIGKILL");
      await running.exit;
    }
  });

  test("two servers share one socket: while one drains, the other answers", async () => {
    const held = await heldSocket();
    const env = {
      WORKSPACE_DIR: join(folder.path, "workspace"),
      AUTH_MODE: "none",
      AUTH_NONE_ALLOWED: "yes",
    };
    const blue = start(env, held.server);
    await eventually(() => blue.output().includes('"msg":"ready"'), "blue");
    const green = start(env, held.server);
    try {
      await eventually(() => green.output().includes('"msg":"ready"'), "green");
      held.server.close();
      let failed = 0;
      let asked = 0;
      let stop = false;
      const asking = (async () => {
        while (!stop) {
          asked++;
          const response = await rpc(held.origin, LIST, { connection: "close" }).catch(() => undefined);
          if (response?.status !== 200 || !(await response.text()).includes("search_text")) failed++;
        }
      })();
      await eventually(() => asked > 10, "some requests");
      blue.child.kill("SIGTERM");
      expect(await blue.exit).toBe(0);
      const before = asked;
      await eventually(() => asked > before + 10, "more requests");
      stop = true;
      await asking;
      expect(failed).toBe(0);
    } finally {
      held.server.close();
      for (const { child } of [blue, green]) child.kill("SIGKILL");
      await green.exit;
    }
  });

  test("if it is not ready, it says why, accepts nothing on the socket, and exits with 1", async () => {
    const running = start({ WORKSPACE_DIR: join(folder.path, "empty"), PORT: "0", NOTIFY_SOCKET: "/run/x" });
    expect(await running.exit).toBe(1);
    expect(running.output()).toContain("not ready: workspace: no git repository in");
    expect(running.output()).not.toContain('"msg":"ready"');
  });

  test("an invalid environment prints every problem and exits with 1", async () => {
    const running = start({ PORT: "many", LOG_LEVEL: "loud" });
    expect(await running.exit).toBe(1);
    expect(running.output()).toContain("PORT=many: must be a whole number");
    expect(running.output()).toContain("LOG_LEVEL=loud: must be one of");
  });

  test("a port in use is an error that names the port and the fix", async () => {
    const held = await heldSocket();
    const { port } = held.server.address() as AddressInfo;
    const running = start({ WORKSPACE_DIR: join(folder.path, "workspace"), PORT: String(port) });
    expect(await running.exit).toBe(1);
    expect(running.output()).toContain(`127.0.0.1:${port} is taken; choose another port`);
    held.server.close();
  });

  test("token create, list and revoke as subcommands", async () => {
    const env = { TOKENS_FILE: join(folder.path, "state", "tokens.json") };
    const run = async (...args: string[]) => {
      const running = start(env, undefined, ["token", ...args]);
      return { code: await running.exit, text: running.output() };
    };
    const made = JSON.parse((await run("create", "--name", "ci", "--json")).text);
    expect(made.token).toMatch(/^mcp_/);
    expect(JSON.parse((await run("list", "--json")).text)).toEqual([
      { id: made.id, name: "ci", scopes: ["code:read"], createdAt: made.createdAt, expiresAt: null },
    ]);
    expect((await run("revoke", made.id)).code).toBe(0);
    expect(await run("revoke", made.id)).toEqual({
      code: 1,
      text: `mcp-edge: There is no token ${made.id} in ${env.TOKENS_FILE}; see: token list\n`,
    });
  });

  test.each(["token", "user", "clients", "keys", "audit"])(
    "%s with an option and without a subcommand lists the subcommands",
    async (name) => {
      const running = start({}, undefined, [name, "--json"]);
      expect(await running.exit).toBe(1);
      expect(running.output()).toMatch(/Usage: .*\[command\]/);
      expect(running.output()).not.toContain("unknown option");
    },
  );
});
