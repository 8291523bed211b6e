import { join } from "node:path";
import { describe, expect, test } from "@jest/globals";
import { Redis } from "iovalkey";
import { ValkeyBuckets } from "../../../server/http/limits/valkey-buckets.ts";
import { makeToken } from "../auth/support.ts";
import { whyNoDebian } from "../store/debian-program.ts";
import { SERVERS, ValkeyServer } from "../store/valkey.ts";
import { eventually, makeRepository, rpc, startApp, temporaryFolder } from "../support.ts";

const reason = whyNoDebian();

if (reason !== undefined) {
  test(`Valkey cannot run here: ${reason}`, () => {
    expect(process.env.CI).not.toBe("true");
  });
} else {
  describe.each(SERVERS)("buckets in $title", (server) => buckets(server));
}

/** Buckets that say when they are in Valkey, and when they are not. */
function watched(url: string) {
  const said: [boolean, string][] = [];
  const store = new ValkeyBuckets(url, {
    // A busy machine is no outage.
    commandMs: 3_000,
    onChange: (available, why) => said.push([available, why]),
  });
  const now = (available: boolean) =>
    eventually(() => said.at(-1)?.[0] === available, available ? "Valkey" : "the end of Valkey");
  return { store, said, now };
}

function buckets(server: (typeof SERVERS)[number]) {
  test("two servers share the buckets; each key has its own bucket, and buckets expire", async () => {
    await using valkey = await ValkeyServer.start(server);
    const [blue, green] = [watched(valkey.url), watched(valkey.url)];
    try {
      await Promise.all([blue.now(true), green.now(true)]);
      // A token in 1000 s: none comes while the test runs.
      const take = (at: typeof blue, key = "a") => at.store.take(key, 3, 0.001);
      expect(await take(blue)).toEqual({ allowed: true, left: 2, waitMs: 0 });
      expect(await take(green)).toEqual({ allowed: true, left: 1, waitMs: 0 });
      expect(await take(blue)).toEqual({ allowed: true, left: 0, waitMs: 0 });
      const refused = await take(green);
      expect(refused).toMatchObject({ allowed: false, left: 0 });
      expect(refused.waitMs).toBeGreaterThan(900_000);
      expect(refused.waitMs).toBeLessThanOrEqual(1_000_000);
      expect(await take(green, "b")).toMatchObject({ allowed: true, left: 2 });
      // 1000 tokens a second: another is there at the next look.
      const fast = async () => (await blue.store.take("c", 1, 1_000)).allowed;
      expect(await fast()).toBe(true);
      let again = false;
      for (let tries = 0; !again && tries < 1_000; tries++) again = await fast();
      expect(again).toBe(true);
    } finally {
      blue.store.close();
      green.store.close();
    }
  }, 360_000);

  test("while Valkey is down or frozen, each server counts for itself and logs it once; both recover", async () => {
    await using valkey = await ValkeyServer.start(server);
    const one = watched(valkey.url);
    const take = async () => (await one.store.take("a", 1, 0.001)).allowed;
    try {
      await one.now(true);
      expect([await take(), await take()]).toEqual([true, false]);
      valkey.freeze();
      // Its own bucket: full, then empty.
      expect([await take(), await take(), await take()]).toEqual([true, false, false]);
      await one.now(false);
      valkey.thaw();
      for (let tries = 0; one.said.at(-1)?.[0] === false && tries < 2_000; tries++) {
        await take();
        await new Promise((wait) => setTimeout(wait, 10));
      }
      expect(one.said.at(-1)?.[0]).toBe(true);
      await valkey.kill();
      await one.now(false);
      expect(await take()).toBe(false);
      await valkey.run();
      await one.now(true);
      expect(one.said.map(([available]) => available)).toEqual([true, false, true, false, true]);
      expect(one.said[3]?.[1]).toMatch(/^Valkey .*valkey\.sock: .*each server counts for itself/);
    } finally {
      one.store.close();
    }
  }, 360_000);

  test("a server with STORE_URL keeps its buckets there, by token id, and reports it in /capz", async () => {
    await using valkey = await ValkeyServer.start(server);
    const folder = await temporaryFolder();
    const look = new Redis(valkey.socket);
    try {
      await makeRepository(join(folder.path, "workspace", "sample"));
      const env = {
        WORKSPACE_DIR: join(folder.path, "workspace"),
        TOKENS_FILE: join(folder.path, "tokens.json"),
        AUTH_MODE: "token",
        STORE_URL: valkey.url,
      };
      await using running = await startApp(env);
      await eventually(() => running.app.capabilities.has("shared-limits"), "Valkey");
      const { id, token } = await makeToken(env);
      const headers = { authorization: `Bearer ${token}`, "x-forwarded-for": "192.0.2.7" };
      const list = { jsonrpc: "2.0", id: 1, method: "tools/list", params: {} };
      let keys: string[] = [];
      // On a machine so busy that Valkey's answer came late, the first request was counted in the process.
      for (let tries = 0; keys.length < 2 && tries < 20; tries++) {
        expect((await rpc(running.origin, list, headers)).status).toBe(200);
        keys = (await look.keys("mcp-edge:bucket:*")).sort();
      }
      expect(keys).toEqual([expect.stringContaining("192.0.2.7"), expect.stringContaining(`token:${id}`)]);
      for (const key of keys) expect(await look.pttl(key)).toBeGreaterThan(0);
      const { capabilities } = (await (await fetch(`${running.origin}/capz`)).json()) as {
        capabilities: { name: string; why: string }[];
      };
      expect(capabilities.find((c) => c.name === "shared-limits")?.why).toContain("valkey.sock");
    } finally {
      look.disconnect();
      await folder.remove();
    }
  }, 360_000);
}
