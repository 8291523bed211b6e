import { join } from "node:path";
import { describe, expect, test } from "@jest/globals";
import { tokenCommand } from "../../../server/auth/token-command.ts";
import { dayOf, Usage } from "../../../server/auth/usage.ts";
import { ValkeyUsage } from "../../../server/auth/valkey-usage.ts";
import { whyNoDebian } from "../store/debian-program.ts";
import { SERVERS, ValkeyServer } from "../store/valkey.ts";
import { makeRepository, rpc, startApp, temporaryFolder } from "../support.ts";
import { makeToken } from "./support.ts";

const NOON = Date.parse("2026-07-28T12:00:00Z");
const reason = whyNoDebian();

if (reason !== undefined) {
  test(`Valkey cannot run here: ${reason}`, () => {
    expect(process.env.CI).not.toBe("true");
  });
} else {
  describe.each(SERVERS)("counts in $title", (server) => counts(server));
}

function counts(server: (typeof SERVERS)[number]) {
  test("two servers add up; days are separate; the latest last use is kept", async () => {
    await using valkey = await ValkeyServer.start(server);
    const [blue, green] = [new ValkeyUsage(valkey.url), new ValkeyUsage(valkey.url)];
    try {
      await blue.add("2026-07-28", [{ token: "a", calls: 3, lastUsedAt: NOON }]);
      const both = [
        { token: "a", calls: 4, lastUsedAt: NOON - 5 },
        { token: "b", calls: 0, lastUsedAt: NOON + 1 },
      ];
      expect([...(await green.add("2026-07-28", both))].sort()).toEqual([
        ["a", 7],
        ["b", 0],
      ]);
      expect(await blue.add("2026-07-29", [])).toEqual(new Map());
      expect(await blue.read("2026-07-28")).toEqual(
        new Map([
          ["a", { lastUsedAt: NOON, callsToday: 7 }],
          ["b", { lastUsedAt: NOON + 1, callsToday: 0 }],
        ]),
      );
      expect((await blue.read("2026-07-29")).get("a")).toEqual({ lastUsedAt: NOON, callsToday: 0 });
    } finally {
      await blue.close();
      await green.close();
    }
  }, 360_000);

  test("what was counted while it was away is reported when it is back", async () => {
    await using valkey = await ValkeyServer.start(server);
    const problems: Error[] = [];
    const usage = new Usage(new ValkeyUsage(valkey.url), {
      now: () => NOON,
      onProblem: (problem) => problems.push(problem),
    });
    const look = new ValkeyUsage(valkey.url);
    try {
      expect(usage.count("a", 3)).toBe(0);
      await usage.flush();
      await valkey.kill();
      expect([usage.count("a", 3), usage.count("a", 3)]).toEqual([0, 0]);
      await usage.flush();
      expect(problems).toHaveLength(1);
      expect(usage.count("a", 3)).toBeGreaterThan(0);
      await valkey.run();
      for (let tries = 0; tries < 50 && (await look.add("2026-07-28", [])).get("a") !== 3; tries++)
        await usage.flush();
      expect(await look.add("2026-07-28", [])).toEqual(new Map([["a", 3]]));
    } finally {
      await usage.close();
      await look.close();
    }
  }, 360_000);

  test("a token's quota holds over two servers of one STORE_URL, and token list shows it", async () => {
    await using valkey = await ValkeyServer.start(server);
    const folder = await temporaryFolder();
    try {
      await makeRepository(join(folder.path, "workspace", "sample"));
      const env = {
        WORKSPACE_DIR: join(folder.path, "workspace"),
        TOKENS_FILE: join(folder.path, "tokens.json"),
        AUTH_MODE: "token",
        STORE_URL: valkey.url,
      };
      const { id, token } = await makeToken(env, "--quota", "2");
      const call = async (origin: string) => {
        const list = { jsonrpc: "2.0", id: 1, method: "tools/list", params: {} };
        return (await rpc(origin, list, { authorization: `Bearer ${token}` })).status;
      };
      {
        await using blue = await startApp(env);
        expect(await call(blue.origin)).toBe(200);
      }
      await using green = await startApp(env);
      expect([await call(green.origin), await call(green.origin)]).toEqual([200, 429]);
      await green.app.close();
      let shown = "";
      const command = tokenCommand(env, (text) => {
        shown += text;
      });
      await command.parseAsync(["list", "--json"], { from: "user" });
      const [listed] = JSON.parse(shown);
      expect(listed).toMatchObject({ id, quota: 2, callsToday: 2 });
      expect(dayOf(Date.parse(listed.lastUsedAt))).toBe(dayOf(Date.now()));
    } finally {
      await folder.remove();
    }
  }, 360_000);
}
