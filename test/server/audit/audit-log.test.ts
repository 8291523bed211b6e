import { appendFile, mkdir, readdir, readFile, rm, stat, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { auditFiles } from "../../../server/audit/audit-file.ts";
import { AuditLog, type AuditLogOptions } from "../../../server/audit/audit-log.ts";
import { lineHash } from "../../../server/audit/record.ts";
import { verifyAudit } from "../../../server/audit/verify.ts";
import { temporaryFolder } from "../support.ts";

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let dir: string;
beforeEach(async () => {
  folder = await temporaryFolder();
  dir = join(folder.path, "audit");
});
afterEach(() => folder.remove());

interface Opened extends AsyncDisposable {
  log: AuditLog;
  counts: Record<string, number>;
  errors: string[];
}

function openLog(options: Partial<AuditLogOptions> = {}): Opened {
  const counts: Record<string, number> = { written: 0, lost: 0 };
  const errors: string[] = [];
  const log = new AuditLog({
    dir,
    fileBytes: 1_000_000,
    files: 20,
    count: (outcome, records) => {
      counts[outcome] = (counts[outcome] ?? 0) + records;
    },
    onError: (error) => errors.push(error.message),
    ...options,
  });
  return { log, counts, errors, [Symbol.asyncDispose]: () => log.close() };
}

const event = (tool: string) => ({ type: "tool.call", at: new Date().toISOString(), tool });
const files = () => auditFiles(dir);
const pathOf = async (at: number) => join(dir, (await files()).at(at) ?? "");

/** Writes `count` records, each in a batch of its own. */
async function write(log: AuditLog, count: number): Promise<void> {
  for (let n = 1; n <= count; n++) {
    log.record(event(`tool-${n}`));
    await log.flush();
  }
}

describe("what is written", () => {
  test("each line has the hash of the line before, and the file begins with a head", async () => {
    await using opened = openLog();
    await write(opened.log, 3);
    const lines = (await readFile(await pathOf(0), "utf8")).trimEnd().split("\n");
    const records = lines.map((line) => JSON.parse(line));
    expect(records.map(({ n, type, tool }) => [n, type, tool])).toEqual([
      [1, "head", undefined],
      [2, "tool.call", "tool-1"],
      [3, "tool.call", "tool-2"],
      [4, "tool.call", "tool-3"],
    ]);
    for (const [at, { prev }] of records.entries())
      expect(prev).toBe(at === 0 ? "0".repeat(64) : lineHash(lines[at - 1] ?? ""));
    expect((await stat(await pathOf(0))).mode & 0o777).toBe(0o600);
    const [file] = await files();
    const tips = [{ file, lines: 4, hash: lineHash(lines[3] ?? "") }];
    expect(await verifyAudit(dir)).toEqual({ files: 1, records: 4, broken: undefined, tips });
    expect(opened.counts).toEqual({ written: 3, lost: 0 });
  });

  test("a text of a client cannot begin a line of its own", async () => {
    await using opened = openLog();
    opened.log.record(event('x\n{"n":3,"type":"sign-in"}\r\u2028'));
    await opened.log.flush();
    expect((await readFile(await pathOf(0), "utf8")).trimEnd().split("\n")).toHaveLength(2);
  });

  test("a full file is followed by one that links to it; the oldest are removed", async () => {
    await using opened = openLog({ fileBytes: 600, files: 3 });
    await write(opened.log, 20);
    expect(await files()).toHaveLength(3);
    expect(await readdir(dir)).toHaveLength(6);
    expect((await verifyAudit(dir)).broken).toBeUndefined();
    await rm(await pathOf(1));
    expect((await verifyAudit(dir)).broken).toMatchObject({
      line: 1,
      problem: expect.stringMatching(/missing/),
    });
  });

  test("an anchor that is kept elsewhere shows that the log was rewritten", async () => {
    {
      await using opened = openLog({ fileBytes: 600, files: 3 });
      await write(opened.log, 4);
    }
    const { tips } = await verifyAudit(dir);
    {
      await using opened = openLog({ fileBytes: 600, files: 3 });
      await write(opened.log, 2);
    }
    // More lines and removed old files do no harm.
    expect((await verifyAudit(dir, tips)).broken).toBeUndefined();
    await rm(dir, { recursive: true });
    await using forged = openLog();
    await write(forged.log, 4);
    expect((await verifyAudit(dir)).broken).toBeUndefined();
    expect((await verifyAudit(dir, tips)).broken).toMatchObject({
      problem: expect.stringMatching(/no file of the anchor/),
    });
    const [{ file = "" } = {}] = (await verifyAudit(dir)).tips;
    const changed = [{ file, lines: 3, hash: "0".repeat(64) }];
    expect((await verifyAudit(dir, changed)).broken).toMatchObject({
      file,
      line: 3,
      problem: "the line was changed",
    });
    const cut = [{ file, lines: 9, hash: "0".repeat(64) }];
    expect((await verifyAudit(dir, cut)).broken).toMatchObject({ file, line: 6 });
  });

  test("two processes write at once, as in a take-over", async () => {
    await using blue = openLog({ fileBytes: 900 });
    await write(blue.log, 2);
    {
      await using green = openLog({ fileBytes: 900 });
      await Promise.all([write(blue.log, 10), write(green.log, 10)]);
    }
    await write(blue.log, 1);
    const { broken, records } = await verifyAudit(dir);
    expect(broken).toBeUndefined();
    expect(records).toBe(23 + (await files()).length);
  });

  test("what arrives during a write waits for the next interval, and is written when the log is closed", async () => {
    const writes: number[] = [];
    const opened = openLog({
      count: (_outcome, records) => {
        writes.push(records);
        if (writes.length < 4) opened.log.record(event("later"));
      },
    });
    opened.log.record(event("first"));
    await opened.log.flush();
    expect(writes).toEqual([1]);
    await opened.log.close();
    expect(writes).toEqual([1, 1, 1, 1]);
    expect((await verifyAudit(dir)).records).toBe(5);
  });

  test("what cannot be written waits, and what finds no room is counted and recorded as a gap", async () => {
    await writeFile(dir, "in the way");
    await using opened = openLog({ maxWaiting: 2 });
    for (let n = 1; n <= 5; n++) opened.log.record(event(`tool-${n}`));
    await opened.log.flush();
    expect(opened.errors).toEqual([expect.stringMatching(/EEXIST|ENOTDIR/)]);
    expect(opened.counts).toEqual({ written: 0, lost: 3 });
    await rm(dir);
    await opened.log.flush();
    const text = await readFile(await pathOf(0), "utf8");
    expect(text).toMatch(/tool-1.*\n.*tool-2.*\n.*"type":"gap".*"lost":3/);
    expect((await verifyAudit(dir)).broken).toBeUndefined();
  });
});

describe("verify names the first line that is not as it was written", () => {
  beforeEach(async () => {
    await using opened = openLog();
    await write(opened.log, 5);
  });

  async function edit(change: (lines: string[]) => string[]): Promise<void> {
    const path = await pathOf(0);
    const lines = (await readFile(path, "utf8")).trimEnd().split("\n");
    await writeFile(path, `${change(lines).join("\n")}\n`);
  }
  const swapped = ([a = "", b = "", c = "", d = "", ...rest]: string[]) => [a, b, d, c, ...rest];

  test.each<[string, (lines: string[]) => string[], number]>([
    ["a changed line", (lines) => lines.map((l) => l.replace("tool-2", "tool-9")), 3],
    ["a changed last line", (lines) => lines.map((l) => l.replace("tool-5", "tool-9")), 6],
    ["a removed line", (lines) => lines.toSpliced(2, 1), 3],
    ["lines in another order", swapped, 3],
    ["an added line", (lines) => lines.toSpliced(3, 0, '{"n":4,"type":"tool.call"}'), 3],
    ["a removed head", (lines) => lines.slice(1), 1],
    ["removed lines at the end", (lines) => lines.slice(0, 4), 5],
    ["text that is no record", (lines) => lines.with(4, "x"), 5],
  ])("%s", async (_what, change, line) => {
    await edit(change);
    const [file] = await files();
    expect((await verifyAudit(dir)).broken).toMatchObject({ file, line });
  });

  test("a file cut within a line", async () => {
    const path = await pathOf(0);
    await rm(`${path}.tip`);
    await truncate(path, (await stat(path)).size - 10);
    expect((await verifyAudit(dir)).broken).toMatchObject({
      line: 6,
      problem: "the end of the line is missing",
    });
  });

  test("an older file that lost its end and its tip, by the link of the next one", async () => {
    {
      await using opened = openLog();
      await write(opened.log, 1);
    }
    await edit((lines) => lines.slice(0, 4));
    await rm(`${await pathOf(0)}.tip`);
    const [file] = await files();
    expect((await verifyAudit(dir)).broken).toMatchObject({ file, line: 5 });
  });

  test("lines that are added meanwhile are none of it", async () => {
    await mkdir(join(dir, "elsewhere"));
    await appendFile(join(dir, "notes.txt"), "not a file of the log");
    expect((await verifyAudit(dir)).broken).toBeUndefined();
  });
});
