import { existsSync } from "node:fs";
import { mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { run } from "../../infra/exec.ts";
import { folderOfRun } from "../support/test-run.ts";
import { ask, Checkout, hostState, inMachine } from "./support.ts";

/** Interruptions, used ranges, no disk space, no network: the next command works, and nothing incomplete is left. */
let checkout: Checkout;
let before: Record<string, string>;

beforeAll(async () => {
  before = await hostState();
  checkout = await Checkout.create();
  // The home is outside the checkout, since nothing may depend on the program's folders above it.
  checkout.env.MCP_EDGE_HOME = await folderOfRun("home");
}, 600_000);

afterAll(async () => {
  await checkout.remove("cut", OTHER);
  await rm(checkout.env.MCP_EDGE_HOME ?? "", { recursive: true, force: true });
}, 600_000);

/** What a folder holds. The files of locks stay, and mean nothing. */
const contents = async (folder: string) => (await readdir(folder)).filter((name) => !name.endsWith(".lock"));

const when = async (limit: number, condition: () => boolean) => {
  const end = Date.now() + limit;
  while (!condition()) {
    if (Date.now() > end) throw new Error("the condition was not met in time");
    await new Promise((done) => setTimeout(done, 20));
  }
};

/** Start `up` and end it by a signal as soon as its output names `line`. @returns its exit code, or the signal */
async function cut(stack: string, line: string, signal: NodeJS.Signals): Promise<number | string | null> {
  const child = checkout.start("up", "--stack", stack, "--no-doctor");
  let output = "";
  child.stdout?.on("data", (chunk) => {
    output += chunk;
  });
  child.stderr?.on("data", (chunk) => {
    output += chunk;
  });
  const closed = new Promise<number | string | null>((done) =>
    child.once("close", (code, by) => done(code ?? by)),
  );
  try {
    // A guard, not a measure: a busy host takes minutes.
    await when(150_000, () => output.includes(line));
    child.kill(signal);
    return await closed;
  } catch (error) {
    child.kill("SIGTERM");
    await closed;
    throw new Error(`up never printed "${line}". It printed:\n${output}`, { cause: error });
  }
}

/** Another stack than the interrupted one. */
const OTHER = "second";

describe("an interrupted up", () => {
  test("by SIGKILL while the machine is created is removed by down", async () => {
    expect(await cut("cut", "cut-machine: create", "SIGKILL")).toBe("SIGKILL");
    const result = await checkout.cli("down", "--stack", "cut");
    expect(result.code).toBe(0);
    expect(await hostState()).toEqual(before);
  }, 600_000);

  test("by SIGKILL while the machine boots, and by SIGINT while it becomes ready, is finished by the next up", async () => {
    expect(await cut("cut", "cloud-init runs", "SIGKILL")).toBe("SIGKILL");
    expect(await cut("cut", "cloud-init is done", "SIGINT")).not.toBe(0);
    const up = await checkout.up("cut", "--no-doctor");
    expect((await ask(up, "/readyz")).status).toBe(200);
    expect(up.token).toBeDefined();
  }, 600_000);
});

describe("the network", () => {
  test("avoids address ranges and bridge names that are in use, and lets two stacks run side by side", async () => {
    // Another program's network: one bridge has the first free name, another one the second free range. Other stacks may be up.
    const used = new Set(await readdir("/sys/class/net"));
    const free = Array.from({ length: 200 }, (_, index) => index).filter(
      (index) => !used.has(`mcpe${index}`),
    );
    const [named = 0, ranged = 1, ...next] = free;
    await run("ip", ["link", "add", `mcpe${named}`, "type", "bridge"]);
    await run("ip", ["link", "add", "taken", "type", "bridge"]);
    await run("ip", ["addr", "add", `10.77.${ranged}.77/25`, "dev", "taken"]);
    await run("ip", ["link", "set", "taken", "up"]);
    try {
      const first = await checkout.up("cut", "--no-doctor");
      const second = await checkout.up(OTHER, "--no-doctor");
      expect(second.deployed.networkIndex).toBe(next[0]);
      for (const up of [first, second]) expect((await ask(up, "/readyz")).status).toBe(200);
      // Each machine has its own control groups, so stopping a service of one does not stop that of the other.
      const mainPid = ["systemctl", "show", "-p", "MainPID", "--value", "nginx@1.service"];
      const pid = (await inMachine(checkout, OTHER, ...mainPid)).stdout;
      expect((await inMachine(checkout, "cut", "systemctl", "stop", "nginx.service")).code).toBe(0);
      expect((await inMachine(checkout, OTHER, ...mainPid)).stdout).toBe(pid);
      expect((await ask(second, "/readyz")).status).toBe(200);
      expect((await checkout.cli("down", "--stack", "cut")).code).toBe(0);
      expect((await ask(second, "/readyz")).status).toBe(200);
      expect((await checkout.cli("down", "--stack", OTHER)).code).toBe(0);
    } finally {
      await run("ip", ["link", "del", `mcpe${named}`]);
      await run("ip", ["link", "del", "taken"]);
    }
    expect(await hostState()).toEqual(before);
  }, 600_000);
});

describe("up without a prerequisite", () => {
  /** The CLI with an empty cache, run under `wrapper`. */
  async function upUnder(wrapper: string[], cache: string) {
    const env = { ...checkout.env, MCP_EDGE_CACHE: cache };
    const [command = "", ...args] = [
      ...wrapper,
      "node",
      "cli/main.ts",
      "up",
      "--stack",
      "cut",
      "--no-doctor",
    ];
    return run(command, args, { cwd: checkout.folder, env, timeout: 300_000, accept: [0, 1] });
  }

  test("fails without enough disk space, names the required space, and leaves nothing", async () => {
    const small = join(checkout.folder, "small");
    await mkdir(small);
    await run("mount", ["-t", "tmpfs", "-o", "size=64m", "tmpfs", small]);
    try {
      const { code, stderr } = await upUnder([], small);
      expect(code).toBe(1);
      expect(stderr).toMatch(/Not enough room in .*: 6\d MB free, 1500 MB needed.*MCP_EDGE_CACHE/s);
      expect(await contents(join(small, "rootfs"))).toEqual([]);
    } finally {
      await run("umount", [small]);
    }
    expect((await checkout.cli("down", "--stack", "cut")).code).toBe(0);
    expect(await hostState()).toEqual(before);
  }, 600_000);

  test("fails without a network, names the mirror, and leaves nothing", async () => {
    const cache = join(checkout.folder, "offline-cache");
    await mkdir(cache);
    const { code, stderr } = await upUnder(["unshare", "--net"], cache);
    expect(code).toBe(1);
    expect(stderr).toMatch(/The Debian root filesystem could not be made. Is Debian's mirror reachable/);
    expect(await contents(join(cache, "rootfs"))).toEqual([]);
    expect((await checkout.cli("down", "--stack", "cut")).code).toBe(0);
    expect(existsSync(join(checkout.env.MCP_EDGE_HOME ?? "", "stacks/cut"))).toBe(false);
    expect(await hostState()).toEqual(before);
  }, 600_000);
});

describe("wrong settings", () => {
  test("are reported all at once with their fixes, before anything is created", async () => {
    const set = ["--set", "rateLimit=fast", "--set", "domian=x.example.com"];
    const { code, stderr } = await checkout.cli("up", "--stack", "cut", ...set);
    expect(code).toBe(1);
    expect(stderr).toContain("2 problems");
    expect(stderr).toContain("mcp-edge:rateLimit");
    expect(stderr).toContain("did you mean domain?");
    expect(existsSync(join(checkout.env.MCP_EDGE_HOME ?? "", "stacks/cut"))).toBe(false);
  }, 600_000);
});
