import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { projectRoot } from "../../infra/paths.ts";
import { hostState } from "../machine/support.ts";
import { isRunning } from "./is-running.ts";
import { removeInterruptedRuns } from "./test-run.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "mcp-edge-runs-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** A run with a stack's network and a command that does not end. */
const RUN = `
  const { beginTestRun, folderOfRun } = await import("./test/support/test-run.ts");
  const { execFileSync, spawn } = await import("node:child_process");
  beginTestRun();
  const network = 'console.log((await (await import("./infra/local/network.ts")).ensureNetwork("interrupted")).bridge)';
  const env = { ...process.env, MCP_EDGE_HOME: await folderOfRun("home") };
  const bridge = execFileSync(process.execPath, ["--input-type=module", "-e", network], { env, encoding: "utf8" }).trim();
  const { pid } = spawn("sleep", ["600"], { stdio: "ignore" });
  console.log(JSON.stringify({ bridge, pid }));
  setInterval(() => {}, 1_000);`;

async function startRun() {
  const node = join(projectRoot, "node_modules/.bin/node");
  const child = spawn(node, ["--input-type=module", "-e", RUN], {
    cwd: projectRoot,
    env: { ...process.env, TMPDIR: folder },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [line] = await once(child.stdout, "data");
  return { child, ...(JSON.parse(String(line)) as { bridge: string; pid: number }) };
}

test("what a killed run has left is removed, and a run that goes on keeps all of its own", async () => {
  const before = await hostState();
  const killed = await startRun();
  const other = await startRun();
  try {
    killed.child.kill("SIGKILL");
    await once(killed.child, "exit");
    await removeInterruptedRuns(folder);
    const exists = ({ bridge, pid }: typeof killed) => [
      existsSync(`/sys/class/net/${bridge}`),
      isRunning(pid),
    ];
    expect([exists(killed), exists(other)]).toEqual([
      [false, false],
      [true, true],
    ]);
  } finally {
    other.child.kill("SIGKILL");
    await once(other.child, "exit");
    await removeInterruptedRuns(folder);
  }
  expect(await readdir(folder)).toEqual([]);
  expect(await hostState()).toEqual(before);
});
