import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, jest, test } from "@jest/globals";
import { asCaller } from "../../../server/shares/caller.ts";
import { type ChildOptions, runChild } from "../../../server/workspace/child.ts";
import { runProcess } from "../../../server/workspace/process.ts";
import { isRunning } from "../../support/is-running.ts";
import { eventually, temporaryFolder } from "../support.ts";
import { stopTimers } from "../timers.ts";

const sh = (script: string, options: Partial<ChildOptions> = {}) =>
  runChild("/bin/sh", ["-c", script], { cwd: "/", timeoutMs: 100_000, ...options });

describe("runChild", () => {
  test("gives the exit code and both outputs", async () => {
    const result = await sh("echo out; echo err >&2; exit 3");
    expect({ ...result, stdout: result.stdout.toString() }).toEqual({
      code: 3,
      stdout: "out\n",
      stderr: "err\n",
      stopped: undefined,
    });
  });

  test("kills the child on an abort, and starts none after an abort", async () => {
    const abort = new AbortController();
    const running = sh("echo on; exec sleep 600", {
      signal: abort.signal,
      onChunk: () => {
        abort.abort(new Error("gone"));
        return true;
      },
    });
    expect(await running).toMatchObject({ code: null, stopped: "abort" });
    await expect(sh("true", { signal: abort.signal })).rejects.toThrow("gone");
  });

  test("kills the child at the time limit, after too much output, and when the caller has read enough", async () => {
    expect(await sh("exec sleep 600", { timeoutMs: 20 })).toMatchObject({ stopped: "timeout" });
    expect(await sh("exec yes", { maxBytes: 1_000 })).toMatchObject({ stopped: "too-much" });
    expect(await sh("exec yes", { onChunk: () => false })).toMatchObject({ stopped: "enough" });
  });

  test("does not pass the server's environment to the child", async () => {
    process.env.TOKENS_FILE = "/secret/tokens.json";
    const { stdout } = await sh("env");
    delete process.env.TOKENS_FILE;
    expect(stdout.toString()).toContain("PATH=");
    expect(stdout.toString()).not.toContain("TOKENS_FILE");
  });

  test("fails for a missing program, and frees its place", async () => {
    const missing = () => runChild("/nonexistent/rg", [], { cwd: "/", timeoutMs: 1_000 });
    for (let n = 0; n < 12; n++) await expect(missing()).rejects.toThrow("ENOENT");
    expect((await sh("echo still")).stdout.toString()).toBe("still\n");
  });

  test("refuses a caller's programs above the queue limit with the reason, and runs the others", async () => {
    const results = await asCaller("greedy", () =>
      Promise.allSettled(Array.from({ length: 300 }, () => sh(":"))),
    );
    const refused = results.filter((r) => r.status === "rejected");
    expect(refused).toHaveLength(300 - Math.max(2, availableParallelism()) - 64);
    expect(results.filter((r) => r.status === "fulfilled" && r.value.code === 0)).toHaveLength(
      300 - refused.length,
    );
    expect(refused.every((r) => /places for programs .* try again/.test(String(r.reason)))).toBe(true);
  });

  test("counts the time limit from the arrival, and frees the place in the queue on an abort", async () => {
    const abort = new AbortController();
    const stop = new AbortController();
    await asCaller("waiting", async () => {
      const places = Math.max(2, availableParallelism());
      const running = Array.from({ length: places }, () => sh("exec sleep 600", { signal: stop.signal }));
      const late = sh("echo ran >&2", { timeoutMs: 50 });
      await expect(late).rejects.toThrow(/waited 0.1 s for its turn.*this token/);
      const cancelled = sh("echo ran >&2", { signal: abort.signal });
      abort.abort(new Error("gone"));
      await expect(cancelled).rejects.toThrow("gone");
      expect((await asCaller("another", () => sh("echo another"))).stdout.toString()).toBe("another\n");
      stop.abort();
      expect((await Promise.all(running)).map((r) => r.stopped)).toEqual(running.map(() => "abort"));
    });
  });
});

describe("a program that starts others", () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  beforeEach(async () => {
    folder = await temporaryFolder();
  });
  afterEach(() => folder.remove());
  /** Runs in the folder; the script writes the number of the process that it starts to `pid`. */
  const runInFolder = (script: string, options: Partial<ChildOptions> = {}) =>
    sh(script, { cwd: folder.path, ...options });
  const childEnded = async () => {
    const pid = (await readFile(join(folder.path, "pid"), "utf8")).trim();
    await eventually(() => !isRunning(pid), `the end of process ${pid}`);
  };

  test.each([
    ["a child that holds both outputs", "sleep 600 & echo $! >pid; echo out"],
    ["a grandchild", "(sleep 600 & echo $! >pid; exec sleep 600) & echo out; until [ -s pid ]; do :; done"],
    ["a child that ignores SIGTERM", "(trap '' TERM; sleep 600) & echo $! >pid; echo out"],
  ])("ends the run when it exits, and %s is ended too", async (_, script) => {
    const { code, stdout, stopped } = await runInFolder(script);
    expect([code, stdout.toString(), stopped]).toEqual([0, "out\n", undefined]);
    await childEnded();
  });

  test("ends the run when it exits, although a child left the process group", async () => {
    // It writes its number when it has left.
    const { code, stdout } = await runInFolder(
      "setsid sh -c 'echo $$ >pid; exec sleep 600' & until [ -s pid ]; do :; done; echo out",
    );
    expect([code, stdout.toString()]).toEqual([0, "out\n"]);
    process.kill(Number(await readFile(join(folder.path, "pid"), "utf8")), "SIGKILL");
  });

  test("is ended with its children at the time limit", async () => {
    // A slow host may need more time to start the child.
    for (let timeoutMs = 300; !existsSync(join(folder.path, "pid")); timeoutMs *= 4)
      expect(await runInFolder("sleep 600 & echo $! >new; mv new pid; wait", { timeoutMs })).toMatchObject({
        stopped: "timeout",
      });
    await childEnded();
  });
});

describe("a program that is ended", () => {
  afterEach(() => {
    jest.useRealTimers();
  });

  test("gets SIGTERM first and can clean up", async () => {
    // On a busy host the shell may get no turn before SIGKILL, which follows after a second.
    stopTimers();
    const end = new AbortController();
    const clean = sh("trap 'echo cleaned >&2; exit 0' TERM; echo on; while :; do sleep 0.01; done", {
      signal: end.signal,
      onChunk: () => {
        end.abort();
        return true;
      },
    });
    expect(await clean).toMatchObject({
      code: 0,
      // A shell may also say that the program it waited for was terminated.
      stderr: expect.stringMatching(/cleaned\n$/),
      stopped: "abort",
    });
  });

  test("gets SIGKILL if it ignores SIGTERM or was stopped", async () => {
    const deaf = await sh("trap '' TERM; while :; do sleep 0.01; done", { timeoutMs: 50 });
    expect(deaf).toMatchObject({ code: null, stopped: "timeout" });
    const asleep = await sh("kill -STOP $$; exec sleep 600", { timeoutMs: 50 });
    expect(asleep).toMatchObject({ code: null, stopped: "timeout" });
  });
});

describe("onChunk", () => {
  test("is awaited for the last chunk, even if the program has already ended", async () => {
    let handled = "";
    const onChunk = async (chunk: Buffer) => {
      await new Promise((resolve) => setTimeout(resolve, 50));
      handled += chunk;
      return true;
    };
    expect(await sh("printf last", { onChunk })).toMatchObject({ code: 0, stopped: undefined });
    expect(handled).toBe("last");
  });

  test("ends the program by an error, which is the error of the run", async () => {
    const onChunk = () => {
      throw new Error("not JSON");
    };
    await expect(sh("exec yes", { onChunk })).rejects.toThrow("not JSON");
    await expect(sh("exec yes >&2", { onStderr: onChunk })).rejects.toThrow("not JSON");
    await expect(sh("exec yes", { onChunk: () => Promise.reject(new Error("later")) })).rejects.toThrow(
      "later",
    );
  });

  test("pauses the program with a pending promise, and gets the rest after the program's end", async () => {
    const end = Promise.withResolvers<void>();
    let received = 0;
    let read = 0;
    const running = sh("head -c 3000000 /dev/zero", {
      onChunk: async (chunk) => {
        received += chunk.length;
        read = Math.max(read, received);
        await end.promise;
        return true;
      },
    });
    await new Promise((resolve) => setTimeout(resolve, 100));
    // onChunk has one chunk. The stream's own buffer and the pipe hold the rest of the output.
    expect(read).toBeLessThan(100_000);
    end.resolve();
    expect((await running).code).toBe(0);
    expect(received).toBe(3_000_000);
  });

  test("does not delay an abort with a pending promise", async () => {
    const end = new AbortController();
    const running = sh("exec yes", {
      signal: end.signal,
      onChunk: () => {
        end.abort();
        return new Promise(() => undefined);
      },
    });
    expect(await running).toMatchObject({ stopped: "abort" });
  });
});

test("a child process ends with the process that started it", async () => {
  const file = new URL("../../../server/workspace/process.ts", import.meta.url).pathname;
  const program = `
    const { runProcess } = await import(${JSON.stringify(file)});
    const env = { PATH: process.env.PATH };
    void runProcess("sleep", ["600"], { cwd: "/", env, timeoutMs: 600_000, maxBytes: 1 });
    const { readFileSync } = await import("node:fs");
    process.stdout.write(readFileSync("/proc/self/task/" + process.pid + "/children", "utf8"));
    process.exit(0);`;
  const { stdout } = await runProcess(process.execPath, ["--input-type=module", "-e", program], {
    cwd: "/",
    env: { PATH: process.env.PATH ?? "" },
    timeoutMs: 100_000,
    maxBytes: 10_000,
  });
  const pid = stdout.toString().trim();
  expect(pid).toMatch(/^\d+$/);
  await eventually(() => !isRunning(pid), "its end");
});
