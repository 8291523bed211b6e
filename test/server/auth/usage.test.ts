import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, jest, test } from "@jest/globals";
import { tokenCommand } from "../../../server/auth/token-command.ts";
import { dayOf, secondsToMidnight, Usage } from "../../../server/auth/usage.ts";
import {
  MemoryUsage,
  readUsage,
  SqliteUsage,
  USAGE_FILE,
  type UsageDelta,
  type UsageStore,
} from "../../../server/auth/usage-store.ts";
import { temporaryFolder } from "../support.ts";
import { makeToken } from "./support.ts";

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let file: string;
beforeEach(async () => {
  folder = await temporaryFolder();
  file = join(folder.path, USAGE_FILE);
});
afterEach(() => folder.remove());

const NOON = Date.parse("2026-07-28T12:00:00Z");

test("days begin at midnight UTC", () => {
  expect(dayOf(NOON)).toBe("2026-07-28");
  expect(secondsToMidnight(NOON)).toBe(12 * 3_600);
  expect(secondsToMidnight(Date.parse("2026-07-28T23:59:59.999Z"))).toBe(1);
});

/** A store that notes what is written, and fails when told to. */
class Recording implements UsageStore {
  readonly writes: (readonly UsageDelta[])[] = [];
  fails = false;
  readonly #inner = new MemoryUsage();
  async add(day: string, deltas: readonly UsageDelta[]) {
    if (this.fails) throw new Error("disk full");
    if (deltas.length > 0) this.writes.push(deltas);
    return this.#inner.add(day, deltas);
  }
  async close() {}
}

describe("Usage", () => {
  test("a thousand calls are one write; nothing new is none", async () => {
    const store = new Recording();
    const usage = new Usage(store, { now: () => NOON });
    for (let n = 0; n < 1_000; n++) expect(usage.count("a", 0)).toBe(0);
    usage.touch("b");
    await usage.flush();
    await usage.flush();
    expect(store.writes).toEqual([
      [
        { token: "a", calls: 1_000, lastUsedAt: NOON },
        { token: "b", calls: 0, lastUsedAt: NOON },
      ],
    ]);
    await usage.close();
  });

  test("the quota holds between and across writes, and is reset the next day", async () => {
    let now = NOON;
    const usage = new Usage(new Recording(), { now: () => now });
    expect(usage.count("a", 2)).toBe(0);
    await usage.flush();
    expect(usage.count("a", 2)).toBe(0);
    expect(usage.count("a", 2)).toBe(12 * 3_600);
    await usage.flush();
    expect(usage.count("a", 2)).toBe(12 * 3_600);
    expect(usage.count("b", 2)).toBe(0);
    now += 12 * 3_600_000;
    expect(usage.count("a", 2)).toBe(0);
    await usage.close();
  });

  test("what the store could not take is not lost", async () => {
    const problems: string[] = [];
    const store = new Recording();
    const usage = new Usage(store, { now: () => NOON, onProblem: (p) => problems.push(p.message) });
    store.fails = true;
    usage.count("a", 2);
    await usage.flush();
    usage.count("a", 2);
    expect(usage.count("a", 2)).toBeGreaterThan(0);
    store.fails = false;
    await usage.flush();
    expect(problems).toEqual(["disk full"]);
    expect(store.writes).toEqual([[{ token: "a", calls: 2, lastUsedAt: NOON }]]);
    await usage.close();
  });
});

describe("SqliteUsage", () => {
  test("two processes count together, and a restart goes on", async () => {
    const [blue, green] = [new SqliteUsage(file), new SqliteUsage(file)];
    await blue.add("2026-07-28", [{ token: "a", calls: 3, lastUsedAt: NOON }]);
    expect(await green.add("2026-07-28", [{ token: "a", calls: 4, lastUsedAt: NOON - 5 }])).toEqual(
      new Map([["a", 7]]),
    );
    expect(await blue.add("2026-07-28", [])).toEqual(new Map([["a", 7]]));
    expect(await blue.add("2026-07-29", [])).toEqual(new Map());
    await blue.close();
    await green.close();
    await green.close();
    expect(readUsage(file, "2026-07-28")).toEqual(new Map([["a", { lastUsedAt: NOON, callsToday: 7 }]]));
    expect(readUsage(file, "2026-07-29")).toEqual(new Map([["a", { lastUsedAt: NOON, callsToday: 0 }]]));
  });

  test("old days are dropped", async () => {
    const store = new SqliteUsage(file);
    await store.add("2026-01-01", [{ token: "a", calls: 1, lastUsedAt: 1 }]);
    await store.add("2026-07-28", [{ token: "a", calls: 1, lastUsedAt: NOON }]);
    expect(await store.add("2026-01-01", [])).toEqual(new Map());
    await store.close();
  });

  test("a file that is no database is an error that names it; no file is no use", async () => {
    await writeFile(file, "no database at all, but long enough to be looked at".repeat(100));
    expect(() => new SqliteUsage(file)).toThrow(/not a database/);
    expect(() => readUsage(file, "2026-07-28")).toThrow(/not a database/);
    expect(readUsage(join(folder.path, "none"), "2026-07-28")).toEqual(new Map());
  });
});

test("token list shows the last use and the calls of today", async () => {
  const env = { TOKENS_FILE: join(folder.path, "tokens.json"), SESSIONS_DIR: folder.path };
  const used = await makeToken(env, "--quota", "5");
  const unused = await makeToken(env);
  const store = new SqliteUsage(file);
  const now = Date.now();
  await store.add(dayOf(now), [{ token: used.id, calls: 3, lastUsedAt: now }]);
  await store.close();
  const list = async (...options: string[]) => {
    let text = "";
    const command = tokenCommand(env, (piece) => {
      text += piece;
    });
    await command.parseAsync(["list", ...options], { from: "user" });
    return text;
  };
  const [first, second] = JSON.parse(await list("--json"));
  expect(first).toMatchObject({
    id: used.id,
    quota: 5,
    lastUsedAt: new Date(now).toISOString(),
    callsToday: 3,
  });
  expect(second).not.toHaveProperty("lastUsedAt");
  const table = await list();
  expect(table).toContain(`last used ${new Date(now).toISOString()}  3 of 5 calls today`);
  expect(table).toContain(`${unused.id}  test  code:read  until revoked  last used never  0 calls today`);
});

test("a broken file of counts does not hide the tokens", async () => {
  const env = { TOKENS_FILE: join(folder.path, "tokens.json"), SESSIONS_DIR: folder.path };
  const { id } = await makeToken(env);
  await writeFile(file, "no database at all, but long enough to be looked at".repeat(100));
  let text = "";
  const complaint = jest.spyOn(process.stderr, "write").mockReturnValue(true);
  try {
    await tokenCommand(env, (piece) => {
      text += piece;
    }).parseAsync(["list"], { from: "user" });
    expect(complaint).toHaveBeenCalledWith(expect.stringContaining(`${file}: file is not a database`));
  } finally {
    complaint.mockRestore();
  }
  expect(text).toContain(id);
});
