import { appendFile, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { ask, Checkout, inMachine, load, mcpHeaders, type UpOutput } from "./support.ts";

/** Changes of a running machine: a release, a broken one, a broken file. The old state serves all the while. */
const stack = "deploys";
let checkout: Checkout;
let first: UpOutput;
let token = "";

beforeAll(async () => {
  checkout = await Checkout.create();
  // The load comes from one address: its limit must not be what is measured.
  first = await checkout.up(stack, "--no-doctor", "--set", "rateLimit=1000");
  token = first.token?.token ?? "";
}, 300_000);

afterAll(() => checkout.remove(stack), 120_000);

const servedVersion = async () => {
  const params = { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: "t", version: "1" } };
  const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "initialize", params });
  const answer = await ask(first, "/mcp", { method: "POST", headers: mcpHeaders(token), body });
  expect(answer.status).toBe(200);
  return /"version":"([^"]+)"/.exec(answer.body)?.[1];
};

const status = async () =>
  JSON.parse((await inMachine(checkout, stack, "mcp-edge-deploy", "status", "--json")).stdout);

describe("a release", () => {
  test("changed server code is switched in place, and no request fails", async () => {
    const before = await status();
    await checkout.edit("server/version.ts", '"0.1.0"', '"0.1.0-next"');
    const traffic = load(first, token);
    const second = await checkout.up(stack, "--no-doctor");
    const { sent, failures } = await traffic.stop();
    expect(failures).toEqual([]);
    expect(sent).toBeGreaterThan(200);
    expect(second.deployed.release).not.toBe(first.deployed.release);
    expect(await servedVersion()).toBe("0.1.0-next");
    const after = await status();
    expect(after).toMatchObject({
      release: second.deployed.release,
      previous: first.deployed.release,
      ready: true,
    });
    expect(after.colour).not.toBe(before.colour);
  }, 120_000);

  test("one that does not get ready: the old one serves on, up fails and shows why", async () => {
    const before = await status();
    const main = join(checkout.folder, "server/main.ts");
    const good = await readFile(main, "utf8");
    await writeFile(main, `throw new Error("this release is broken on purpose");\n${good}`);
    const traffic = load(first, token, 50);
    const result = await checkout.cli("up", "--stack", stack, "--no-doctor");
    const { failures } = await traffic.stop();
    await writeFile(main, good);
    expect(result.code).toBe(1);
    expect(result.stderr).toContain("this release is broken on purpose");
    expect(failures).toEqual([]);
    expect(await status()).toEqual(before);
    expect(await servedVersion()).toBe("0.1.0-next");
  }, 180_000);

  test("one whose hash is wrong is refused before it is unpacked", async () => {
    const before = await status();
    const wrong = "0".repeat(64);
    const incoming = join(checkout.folder, `.mcp-edge/stacks/${stack}/data/incoming`);
    await writeFile(join(incoming, `${wrong}.tar.zst`), "this is not what its name says");
    const result = await inMachine(checkout, stack, "mcp-edge-deploy", "release", wrong);
    expect(result.code).toBe(1);
    expect(result.stderr).toMatch(/sha256|hash/i);
    expect(await status()).toEqual(before);
  }, 60_000);
});

describe("the machine's files", () => {
  const config = "cloud-init/files/nginx/nginx.conf";

  test("a broken NGINX file: the old one serves on, up fails with NGINX's own words", async () => {
    const before = await status();
    await appendFile(join(checkout.folder, config), "\nthis_is_no_directive on;\n");
    const result = await checkout.cli("up", "--stack", stack, "--no-doctor");
    await checkout.restore(config);
    expect(result.code).toBe(1);
    expect(result.stderr).toContain("this_is_no_directive");
    expect((await ask(first, "/readyz")).status).toBe(200);
    expect(await status()).toEqual(before);
  }, 120_000);

  test("a setting that changes a file arrives in place", async () => {
    await checkout.up(stack, "--no-doctor", "--set", "rateLimit=77");
    const served = await inMachine(checkout, stack, "grep", "-r", "rate=77r/s", "/etc/nginx");
    expect(served.code).toBe(0);
    expect((await ask(first, "/readyz")).status).toBe(200);
  }, 120_000);
});
