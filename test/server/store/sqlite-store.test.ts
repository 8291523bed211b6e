import { copyFile, readdir, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { Capabilities } from "../../../server/capabilities/registry.ts";
import { DURABLE_SESSIONS, openStore, STORE_FILE } from "../../../server/store/open.ts";
import { SqliteStore } from "../../../server/store/sqlite-store.ts";
import { LIMITS } from "../../../server/store/store.ts";
import { temporaryFolder } from "../support.ts";
import { contract, sessionRecord } from "./contract.ts";

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
beforeAll(async () => {
  folder = await temporaryFolder();
});
afterAll(() => folder.remove());

describe("a file that two stores have open", () => {
  let pair: readonly [SqliteStore, SqliteStore];
  beforeAll(() => {
    const file = join(folder.path, "pair.db");
    pair = [new SqliteStore(file), new SqliteStore(file)];
  });
  afterAll(() => Promise.all(pair.map((s) => s.close())));
  contract(() => pair);
});

describe("SqliteStore", () => {
  test("keeps sessions for 30 days after their last use, and events for 15 minutes", async () => {
    let now = 1_000_000;
    const store = new SqliteStore(":memory:", () => now);
    const [used, unused] = [sessionRecord(), sessionRecord()];
    await store.create(used);
    await store.create(unused);
    const events = [{ session: used.id, stream: "s", n: 0, message: "{}" }];
    await store.write({ started: [], events, ended: [] });
    now += LIMITS.eventTtlMs + 1;
    await store.touch([used]);
    await store.sweep();
    expect(await store.events(used.id, "s", -1)).toEqual([]);
    now += LIMITS.sessionTtlMs - LIMITS.eventTtlMs - 1;
    expect(await store.read(unused.id)).toBeUndefined();
    expect(await store.read(used.id)).toEqual(used);
    await store.sweep();
    expect(await store.check()).toBe("1 sessions in SQLite in memory");
    await store.close();
  });
});

describe("the event loop", () => {
  test("is not blocked while another process writes, and pending writes happen in order", async () => {
    const file = join(folder.path, "busy.db");
    const store = new SqliteStore(file);
    const record = sessionRecord();
    await store.create(record);
    const other = new DatabaseSync(file);
    other.exec("BEGIN IMMEDIATE");
    const done: string[] = [];
    const write = (level: string) =>
      store
        .changeState(record.id, { logLevel: level })
        .then(() => store.read(record.id))
        .then((read) => done.push(`${level} ${read?.state.logLevel}`));
    const writes = [write("first"), write("second")];
    for (let n = 0; n < 5; n++) await new Promise((resolve) => setTimeout(resolve, 5));
    // Timers ran, reading works, and nothing was written or given up.
    expect(await store.read(record.id)).toEqual(record);
    expect(done).toEqual([]);
    other.exec("ROLLBACK");
    await Promise.all(writes);
    expect(done.at(-1)).toBe("second second");
    other.close();
    await store.close();
  });

  test("is not blocked by a sweep, which checkpoints the log in another thread", async () => {
    const file = join(folder.path, "log.db");
    const store = new SqliteStore(file);
    const record = sessionRecord();
    await store.create(record);
    await store.sweep();
    // The file alone has the session, without its log.
    await copyFile(file, join(folder.path, "copy.db"));
    const copy = new SqliteStore(join(folder.path, "copy.db"));
    expect(await copy.read(record.id)).toEqual(record);
    await copy.close();
    await store.close();
  });

  test("gets turns between the slices of a sweep", async () => {
    let now = 1_000_000;
    const store = new SqliteStore(":memory:", () => now);
    const { id } = sessionRecord();
    for (let part = 0; part < 3; part++) {
      const events = Array.from({ length: 990 }, (_, i) => ({
        session: `${id}${part}`,
        stream: "s",
        n: i,
        message: "{}",
      }));
      await store.write({ started: [], events, ended: [] });
    }
    now += LIMITS.eventTtlMs + 1;
    let turns = 0;
    let over = false;
    const count = () => {
      turns++;
      if (!over) setImmediate(count);
    };
    setImmediate(count);
    await store.sweep();
    over = true;
    expect(turns).toBeGreaterThan(3);
    for (let part = 0; part < 3; part++) expect(await store.events(`${id}${part}`, "s", -1)).toEqual([]);
    await store.close();
  });
});

describe("openStore", () => {
  const capabilities = new Capabilities();
  const open = (sessionsDir: string, problems: string[] = []) =>
    openStore({ sessionsDir }, capabilities, (problem) => problems.push(problem));

  test("creates the folder with mode 0700, and finds the sessions again", async () => {
    const dir = join(folder.path, "sessions");
    const record = sessionRecord();
    const first = await open(dir);
    await first.create(record);
    await first.close();
    const again = await open(dir);
    expect(await again.read(record.id)).toEqual(record);
    await again.close();
    expect((await stat(dir)).mode & 0o777).toBe(0o700);
  });

  test("sets a damaged file aside and reports it", async () => {
    const dir = join(folder.path, "damaged");
    await (await open(dir)).close();
    await writeFile(join(dir, STORE_FILE), "this is no database ".repeat(1_000));
    const problems: string[] = [];
    const store = await open(dir, problems);
    expect(await store.check()).toContain("0 sessions");
    await store.close();
    expect(problems).toEqual([expect.stringContaining("set aside")]);
    expect((await readdir(dir)).some((name) => name.includes(".damaged-"))).toBe(true);
  });

  test("a folder that cannot be created is reported with a fix, and sessions are kept in memory", async () => {
    await writeFile(join(folder.path, "file"), "");
    const problems: string[] = [];
    const store = await open(join(folder.path, "file", "sessions"), problems);
    expect(problems).toEqual([expect.stringMatching(/SESSIONS_DIR=.*install -d/)]);
    expect(capabilities.missing({ needs: [DURABLE_SESSIONS] })).toMatchObject([{ why: problems[0] }]);
    expect(await store.check()).toBe("0 sessions in SQLite in memory");
    await store.close();
  });
});
