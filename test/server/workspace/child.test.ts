import { describe, expect, test } from "@jest/globals";
import { type ChildOptions, runChild } from "../../../server/workspace/child.ts";

const sh = (script: string, options: Partial<ChildOptions> = {}) =>
  runChild("/bin/sh", ["-c", script], { cwd: "/", timeoutMs: 20_000, ...options });

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

  test("an abort kills the child; one before the start starts nothing", async () => {
    const gone = new AbortController();
    const running = sh("echo on; exec sleep 600", {
      signal: gone.signal,
      onChunk: () => {
        gone.abort(new Error("gone"));
        return true;
      },
    });
    expect(await running).toMatchObject({ code: null, stopped: "abort" });
    await expect(sh("true", { signal: gone.signal })).rejects.toThrow("gone");
  });

  test("so do the time limit, too much output, and having read enough", async () => {
    expect(await sh("exec sleep 600", { timeoutMs: 20 })).toMatchObject({ stopped: "timeout" });
    expect(await sh("exec yes", { maxBytes: 1_000 })).toMatchObject({ stopped: "too-much" });
    expect(await sh("exec yes", { onChunk: () => false })).toMatchObject({ stopped: "enough" });
  });

  test("nothing of the server's environment is passed on", async () => {
    process.env.TOKENS_FILE = "/secret/tokens.json";
    const { stdout } = await sh("env");
    delete process.env.TOKENS_FILE;
    expect(stdout.toString()).toContain("PATH=");
    expect(stdout.toString()).not.toContain("TOKENS_FILE");
  });

  test("a program that is not there is an error, and its place is free again", async () => {
    const missing = () => runChild("/nonexistent/rg", [], { cwd: "/", timeoutMs: 1_000 });
    for (let n = 0; n < 12; n++) await expect(missing()).rejects.toThrow("ENOENT");
    expect((await sh("echo still")).stdout.toString()).toBe("still\n");
  });

  test("more than can wait are refused in words, the others all run", async () => {
    const results = await Promise.allSettled(Array.from({ length: 300 }, () => sh(":")));
    const refused = results.filter((r) => r.status === "rejected");
    expect(refused).toHaveLength(300 - 8 - 256);
    expect(refused.every((r) => String(r.reason).includes("busy; try again"))).toBe(true);
    expect(results.filter((r) => r.status === "fulfilled" && r.value.code === 0)).toHaveLength(264);
  });
});
